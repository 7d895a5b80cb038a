//! Uploads: the form, its options and the file.

use serde_json::{Value, json};

use super::row::{Row, Who, long, row};

const FILE: &str = "Title,Stage,Worth\nEngine,Won,5\n";

pub(crate) fn rows() -> Vec<Row> {
    [forms(), options(), files()].concat()
}

/// A part of a form: its name, whether it is a file, and what it holds.
type Part<'a> = (&'a str, bool, &'a [u8]);

const FORM: &str = "multipart/form-data; boundary=frontier";

fn form(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, is_file, content) in parts {
        let file_name = if *is_file { "; filename=\"deals.csv\"" } else { "" };
        let head =
            format!("--frontier\r\nContent-Disposition: form-data; name=\"{name}\"{file_name}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--frontier--\r\n");
    body
}

fn upload(name: &str, parts: &[Part<'_>]) -> Row {
    row("POST", "/api/deals/import", name).body(FORM, form(parts))
}

fn forms() -> Vec<Row> {
    let file: Part<'_> = ("file", true, FILE.as_bytes());
    let options: Part<'_> = ("options", false, b"{\"dryRun\": true}");
    let import = |name: &str| row("POST", "/api/deals/import", name);
    let whole = form(&[options, file]);
    let cut = &whole[..whole.len() - 20];
    vec![
        import("nothing").answers(415, "unsupported_media_type"),
        import("JSON").json(json!({"file": "deals.csv"})).answers(415, "unsupported_media_type"),
        import("the file alone").body("text/csv", FILE).answers(415, "unsupported_media_type"),
        import("a form without a boundary")
            .body("multipart/form-data", &whole)
            .answers(415, "unsupported_media_type"),
        import("another boundary")
            .body("multipart/form-data; boundary=border", &whole)
            .answers(400, "malformed_body"),
        import("a form that does not end").body(FORM, cut).answers(400, "malformed_body"),
        import("no part").body(FORM, "").answers(400, "malformed_body"),
        import("a form of a role that may not").by(Who::Sales).body(FORM, &whole).answers(403, "forbidden"),
        import("a form of nobody").by(Who::Nobody).body(FORM, &whole).answers(401, "unauthenticated"),
        upload("no parts", &[]).bad(&["file"]),
        upload("options alone", &[options]).bad(&["file"]),
        upload("another part", &[("colour", false, b"red"), file]).bad(&["colour"]),
        upload("options behind the file", &[file, options]).bad(&["options"]),
        upload("options twice", &[options, options, file]).bad(&["options"]),
        upload("two files", &[options, file, file]).bad(&["file"]),
        row("POST", "/api/leads/import", "more than 64 MiB")
            .body(FORM, vec![b'x'; 65 * 1024 * 1024])
            .answers(413, "body_too_large"),
    ]
}

fn options() -> Vec<Row> {
    let text = |name: &str, options: &[u8], fields: &[&'static str]| {
        upload(name, &[("options", false, options), ("file", true, FILE.as_bytes())]).bad(fields)
    };
    let given = |name: &str, options: &Value, fields: &[&'static str]| {
        text(name, options.to_string().as_bytes(), fields)
    };
    vec![
        text("empty options", b"", &["options"]),
        text("options that are no JSON", b"{dryRun}", &["options"]),
        text("options that are a list", b"[]", &["options"]),
        text("options that are null", b"null", &["options"]),
        text(
            "options of more than 64 KiB",
            format!("{{\"a\": \"{}\"}}", long(65_536)).as_bytes(),
            &["options"],
        ),
        given("an unknown option", &json!({"colour": "red"}), &["options.colour"]),
        given(
            "bad values of every option",
            &json!({"mapping": [], "values": 1, "onDuplicate": "merge", "dryRun": "yes", "colour": 1}),
            &["options.mapping", "options.values", "options.onDuplicate", "options.dryRun", "options.colour"],
        ),
        given(
            "a field that is none",
            &json!({"mapping": {"shoeSize": "Title"}}),
            &["options.mapping.shoeSize"],
        ),
        given(
            "fields of leads",
            &json!({"mapping": {"title": "Title", "email": "Title", "phone": "Stage"}}),
            &["options.mapping.email", "options.mapping.phone"],
        ),
        given(
            "columns that are none",
            &json!({"mapping": {"title": null, "value": [], "stage": {"join": []}, "notes": -1, "externalId": ""}}),
            &[
                "options.mapping.title",
                "options.mapping.value",
                "options.mapping.stage",
                "options.mapping.notes",
                "options.mapping.externalId",
            ],
        ),
        given(
            "columns that the file lacks",
            &json!({"mapping": {"title": "Name", "value": 3, "stage": ["Stage", "Phase"], "notes": {"join": [0, 9]}}}),
            &[
                "options.mapping.title",
                "options.mapping.value",
                "options.mapping.stage",
                "options.mapping.notes",
            ],
        ),
        given(
            "the same said in two ways",
            &json!({"mapping": {"title": "Title", "owner": "Stage", "ownerId": "Worth"}}),
            &["options.mapping.owner"],
        ),
        given("no column for the title", &json!({"mapping": {"value": "Worth"}}), &["options.mapping.title"]),
        given(
            "words that mean nothing",
            &json!({"values": {"stage": {"Won": "WON", "Open": "QUALIFICATION"}}}),
            &["options.values.stage.Won"],
        ),
        given(
            "words that mean no text",
            &json!({"values": {"stage": {"Won": 1}}}),
            &["options.values.stage"],
        ),
        given(
            "words of a field that is none",
            &json!({"values": {"colour": {"red": "blue"}}}),
            &["options.values.colour"],
        ),
    ]
}

fn files() -> Vec<Row> {
    let file = |name: &str, content: &[u8]| upload(name, &[("file", true, content)]).bad(&["file"]);
    vec![
        file("an empty file", b""),
        file("blank lines", b"\n\r\n\n"),
        file("a header alone", b"Title,Stage\n"),
        file("UTF-16", b"\xff\xfeT\0i\0t\0l\0e\0\n\0"),
        upload(
            "bytes that are not of the encoding named",
            &[("options", false, b"{\"encoding\": \"utf-8\"}"), ("file", true, b"Title\nCaf\xe9\n")],
        )
        .bad(&["file"]),
        file("a workbook", b"PK\x03\x04 and so on"),
        upload(
            "semicolons where commas were named",
            &[("options", false, b"{\"delimiter\": \",\"}"), ("file", true, b"Title;Stage\nEngine;Won\n")],
        )
        .bad(&["options.mapping.title"]),
        file("a quote that is never closed", b"Title,Stage\n\"Engine,Won\nLoom,Lost\n"),
        file("NUL in the header", b"Title\0,Stage\nEngine,Won\n"),
        upload("a header without a title", &[("file", true, b"Colour,Size\nred,5\n")])
            .bad(&["options.mapping.title"]),
    ]
}
