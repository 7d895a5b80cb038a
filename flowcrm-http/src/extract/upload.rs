//! A file that is uploaded with options, as it arrives.

use std::pin::pin;
use std::time::Duration;

use flowcrm_core::error::{Error, ErrorCode, Result};
use flowcrm_core::input::Body;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use poem::web::{Field, Multipart};
use poem::{FromRequest, Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, timeout, timeout_at};

use crate::problem::Failure;

/// The most bytes of an uploaded file.
const FILE_LIMIT: u64 = 64 * 1024 * 1024;

/// The most bytes of its options.
const OPTIONS_LIMIT: u64 = 64 * 1024;

/// The most bytes of everything around them.
const ENVELOPE: u64 = 16 * 1024;

/// How long a client may pause.
const PATIENCE: Duration = Duration::from_secs(30);

/// What has to arrive of a file meanwhile, unless it ends.
const LEAST: u64 = 16 * 1024;

/// How long a whole file may take.
const LONGEST: Duration = Duration::from_mins(30);

/// A `multipart/form-data` body: `options`, described as `T`, then `file`.
pub struct Upload<T>(Multipart, std::marker::PhantomData<fn() -> T>);

impl<'a, T: Type> ApiExtractor<'a> for Upload<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let file = MetaSchema {
            description: Some("The CSV file, at most 64 MiB."),
            ..MetaSchema::new_with_format("string", "binary")
        };
        let schema = MetaSchema {
            required: vec!["file"],
            properties: vec![("options", T::schema_ref()), ("file", MetaSchemaRef::Inline(Box::new(file)))],
            ..MetaSchema::new("object")
        };
        let content = MetaMediaType {
            content_type: "multipart/form-data",
            schema: MetaSchemaRef::Inline(Box::new(schema)),
        };
        Some(MetaRequest { description: None, content: vec![content], required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        check_head(request).map_err(Failure::from)?;
        let multipart = <Multipart as FromRequest>::from_request(request, body).await;
        let multipart = multipart.map_err(|_| Failure::from(unsupported()))?;
        Ok(Self(multipart, std::marker::PhantomData))
    }
}

fn unsupported() -> Error {
    Error::new(ErrorCode::UnsupportedMediaType, "Send multipart/form-data with `options`, then `file`.")
}

fn too_large() -> Error {
    Error::new(ErrorCode::TooLarge, "The file is larger than 64 MiB: split it.")
}

fn malformed() -> Error {
    Error::new(ErrorCode::Malformed, "The multipart body could not be read.")
}

fn slow() -> Error {
    Error::new(ErrorCode::Malformed, "The file arrived too slowly.")
}

fn check_head(request: &Request) -> Result<()> {
    let media_type = super::single(request.headers(), CONTENT_TYPE, unsupported)?.unwrap_or_default();
    if !media_type.to_ascii_lowercase().starts_with("multipart/form-data") {
        return Err(unsupported());
    }
    let length =
        super::single(request.headers(), CONTENT_LENGTH, malformed)?.and_then(|length| length.parse().ok());
    if length.is_some_and(|length: u64| length > FILE_LIMIT + OPTIONS_LIMIT + ENVELOPE) {
        return Err(too_large());
    }
    Ok(())
}

impl<T> Upload<T> {
    /// The options, and the file that follows them.
    ///
    /// # Errors
    ///
    /// `validation_failed` for `options` that are no JSON object, and for whatever else stands before the file.
    pub async fn open(self) -> Result<(Body, FileUpload)> {
        let mut parts = self.0;
        let mut options = Body::default();
        let mut field = next_field(&mut parts).await?;
        if let Some(given) = field.take_if(|field| field.name() == Some("options")) {
            options = read_options(given).await?;
            field = next_field(&mut parts).await?;
        }
        match field {
            Some(file) if file.name() == Some("file") => {
                Ok((options, FileUpload { file_name: name_of(&file), file, parts }))
            }
            Some(other) => Err(out_of_place(&other)),
            None => Err(Error::field("file", "is required")),
        }
    }
}

async fn next_field(parts: &mut Multipart) -> Result<Option<Field>> {
    let field = timeout(PATIENCE, parts.next_field()).await.map_err(|_| malformed())?;
    field.map_err(|_| malformed())
}

fn out_of_place(field: &Field) -> Error {
    let name: String = field.name().unwrap_or_default().chars().take(60).collect();
    Error::field(name, "has no place there: send `options` once, then `file` once")
}

async fn read_options(field: Field) -> Result<Body> {
    let mut bytes = Vec::new();
    let reading = pin!(field.into_async_read().take(OPTIONS_LIMIT + 1));
    let read = async { { reading }.read_to_end(&mut bytes).await };
    timeout(PATIENCE, read).await.map_err(|_| malformed())?.map_err(|_| malformed())?;
    if bytes.len() as u64 > OPTIONS_LIMIT {
        return Err(Error::field("options", "must be at most 64 KiB"));
    }
    Body::parse(&bytes)
        .map_err(|error| Error::field("options", format!("must be a JSON object: {}", error.detail())))
}

/// The file's name without folders, cut to 200 characters.
fn name_of(field: &Field) -> String {
    let sent = field.file_name().unwrap_or("file.csv");
    let name = sent.rsplit(['/', '\\']).next().unwrap_or(sent);
    name.chars().filter(|character| !character.is_control()).take(200).collect()
}

/// A file as it arrives.
pub struct FileUpload {
    /// The file's name.
    pub file_name: String,
    file: Field,
    parts: Multipart,
}

impl FileUpload {
    /// The file's bytes, piece by piece.
    pub fn into_pieces(self) -> FilePieces {
        let reader = Box::pin(self.file.into_async_read());
        let pace = Pace::begun_at(Instant::now());
        FilePieces { reader, parts: self.parts, buffer: vec![0; 64 * 1024], received: 0, pace }
    }
}

/// How fast a file arrives, and until when its next piece has to be there.
#[derive(Debug)]
struct Pace {
    last_end: Instant,
    end: Instant,
    /// What is still missing until then.
    missing: u64,
}

impl Pace {
    fn begun_at(now: Instant) -> Self {
        Self { last_end: now + LONGEST, end: now + PATIENCE, missing: LEAST }
    }

    /// Takes note of a piece.
    fn took(&mut self, length: u64, now: Instant) {
        self.missing = self.missing.saturating_sub(length);
        if self.missing == 0 {
            self.end = self.last_end.min(now + PATIENCE);
            self.missing = LEAST;
        }
    }
}

/// The pieces of a file; no more than one is held at a time.
pub struct FilePieces {
    reader: std::pin::Pin<Box<dyn AsyncRead + Send>>,
    parts: Multipart,
    buffer: Vec<u8>,
    received: u64,
    pace: Pace,
}

impl FilePieces {
    /// The next piece; none at the end.
    ///
    /// # Errors
    ///
    /// `body_too_large` beyond 64 MiB, `malformed_body` when the client stops before the end or sends less than 16 KiB
    /// in 30 seconds, and when the file takes more than half an hour; `validation_failed` when something follows the file: options that come too late would go unheard.
    pub async fn next(&mut self) -> Result<Option<&[u8]>> {
        let read = timeout_at(self.pace.end, self.reader.read(&mut self.buffer)).await;
        let length = read.map_err(|_| slow())?.map_err(|_| malformed())?;
        self.pace.took(length as u64, Instant::now());
        self.received += length as u64;
        if self.received > FILE_LIMIT {
            return Err(too_large());
        }
        if length > 0 {
            return Ok(Some(&self.buffer[..length]));
        }
        // The next part can be had when the former has been given up.
        self.reader = Box::pin(tokio::io::empty());
        match next_field(&mut self.parts).await? {
            Some(field) => Err(out_of_place(&field)),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_pause_but_not_trickle() {
        let begin = Instant::now();
        let after = |seconds| begin + Duration::from_secs(seconds);
        let mut pace = Pace::begun_at(begin);
        pace.took(LEAST - 1, after(29));
        assert_eq!(pace.end, after(30), "too little");
        pace.took(1, after(30));
        assert_eq!(pace.end, after(60), "enough");
        pace.took(64 * 1024, after(1_795));
        assert_eq!(pace.end, after(1_800), "no file takes more than half an hour");
        pace.took(64 * 1024, after(1_801));
        assert_eq!(pace.end, after(1_800));
    }
}
