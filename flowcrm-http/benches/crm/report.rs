//! What was measured, as one table and as a file.

use serde_json::{Value, json};

/// What one door did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// In the unit of its line.
    pub(crate) value: f64,
    pub(crate) p50_millis: Option<f64>,
    pub(crate) p99_millis: Option<f64>,
    /// Processor time for one call or row, in the process that serves it; a Postgres server works in its own.
    pub(crate) cpu_millis: Option<f64>,
}

impl Measured {
    /// A plain number.
    pub(crate) const fn of(value: f64) -> Self {
        Self { value, p50_millis: None, p99_millis: None, cpu_millis: None }
    }

    fn figures(&self) -> Value {
        json!({
            "value": rounded(self.value),
            "p50Millis": self.p50_millis.map(rounded),
            "p99Millis": self.p99_millis.map(rounded),
            "cpuMillis": self.cpu_millis.map(rounded),
        })
    }
}

/// What is aimed at, and whether it was met.
#[derive(Debug, Clone)]
pub(crate) struct Aim {
    pub(crate) text: String,
    pub(crate) is_met: bool,
}

/// One line of the table.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) engine: &'static str,
    pub(crate) leads: usize,
    pub(crate) organizations: usize,
    pub(crate) measure: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) http: Option<Measured>,
    pub(crate) rust: Option<Measured>,
    /// The same in plain SQL.
    pub(crate) raw: Option<f64>,
    pub(crate) aim: Option<Aim>,
}

/// The columns of the table with their widths; numbers go to the right.
const COLUMNS: [(&str, usize); 18] = [
    ("engine", 8),
    ("leads", 9),
    ("orgs", 4),
    ("measure", 21),
    ("unit", 7),
    ("HTTP", 7),
    ("p50 ms", 6),
    ("p99 ms", 6),
    ("CPU ms", 6),
    ("Rust", 7),
    ("p50 ms", 6),
    ("p99 ms", 6),
    ("CPU ms", 6),
    ("raw SQL", 7),
    ("HTTP/raw", 8),
    ("Rust/raw", 8),
    ("met", 3),
    ("aim", 0),
];

impl Line {
    pub(crate) fn http_of_raw(&self) -> Option<f64> {
        Some(self.http?.value / self.raw?)
    }

    pub(crate) fn rust_of_raw(&self) -> Option<f64> {
        Some(self.rust?.value / self.raw?)
    }

    fn cells(&self) -> [String; COLUMNS.len()] {
        let optional = |number: Option<f64>| number.map(shown).unwrap_or_default();
        let door = |door: Option<Measured>| {
            [
                optional(door.map(|door| door.value)),
                optional(door.and_then(|door| door.p50_millis)),
                optional(door.and_then(|door| door.p99_millis)),
                optional(door.and_then(|door| door.cpu_millis)),
            ]
        };
        let [http, http_p50, http_p99, http_cpu] = door(self.http);
        let [rust, rust_p50, rust_p99, rust_cpu] = door(self.rust);
        let met = self.aim.as_ref().map_or("", |aim| if aim.is_met { "yes" } else { "NO" });
        [
            self.engine.to_owned(),
            self.leads.to_string(),
            self.organizations.to_string(),
            self.measure.to_owned(),
            self.unit.to_owned(),
            http,
            http_p50,
            http_p99,
            http_cpu,
            rust,
            rust_p50,
            rust_p99,
            rust_cpu,
            optional(self.raw),
            optional(self.http_of_raw()),
            optional(self.rust_of_raw()),
            met.to_owned(),
            self.aim.as_ref().map(|aim| aim.text.clone()).unwrap_or_default(),
        ]
    }

    /// The line of the table.
    pub(crate) fn row(&self) -> String {
        row(&self.cells())
    }

    /// The line of a file.
    pub(crate) fn figures(&self) -> Value {
        json!({
            "engine": self.engine,
            "leads": self.leads,
            "organizations": self.organizations,
            "measure": self.measure,
            "unit": self.unit,
            "http": self.http.as_ref().map(Measured::figures),
            "rust": self.rust.as_ref().map(Measured::figures),
            "rawSql": self.raw.map(rounded),
            "httpOfRawSql": self.http_of_raw().map(rounded),
            "rustOfRawSql": self.rust_of_raw().map(rounded),
            "aim": self.aim.as_ref().map(|aim| json!({"text": aim.text, "isMet": aim.is_met})),
        })
    }
}

/// A number with as many decimals as say something.
pub(crate) fn shown(number: f64) -> String {
    match number {
        100.0.. => format!("{number:.0}"),
        10.0.. => format!("{number:.1}"),
        _ => format!("{number:.3}"),
    }
}

/// The same number, to be written into a file.
fn rounded(number: f64) -> Value {
    serde_json::from_str(&shown(number)).expect("a number")
}

/// The head of the table.
pub(crate) fn head() -> String {
    row(&COLUMNS.map(|(name, _)| name.to_owned()))
}

fn row(cells: &[String; COLUMNS.len()]) -> String {
    let cell = |(column, cell): (usize, &String)| {
        let (_, width) = COLUMNS[column];
        let is_number = matches!(column, 1 | 2 | 5..=15);
        if is_number { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
    };
    let cells: Vec<String> = cells.iter().enumerate().map(cell).collect();
    cells.join("  ").trim_end().to_owned()
}
