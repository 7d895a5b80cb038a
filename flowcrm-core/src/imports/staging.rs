use super::csv::{CsvParser, Record};
use super::mapping::{Mapped, Mapper};
use super::{Import, ImportOptions, Rejection, StagedRow};
use crate::access::Action;
use crate::caller::Caller;
use crate::error::{Error, Result};

/// How much of a file is read at once.
const PIECE: usize = 64 * 1024;

/// So many rows, or so many bytes of cells, are staged in one transaction.
const ROWS_AT_ONCE: usize = 1_000;
const BYTES_AT_ONCE: usize = 4 * 1024 * 1024;

/// A file that is arriving: [`push`](Self::push) its pieces, then [`finish`](Self::finish).
///
/// It holds no more than a few pieces in memory. What has been staged of a file that never arrives in full is deleted
/// by the worker after an hour; nobody sees it before.
pub struct Staging {
    caller: Caller,
    options: ImportOptions,
    import: Import,
    parser: CsvParser,
    /// Made of the header.
    mapper: Option<Mapper>,
    is_inserted: bool,
    rows: Vec<StagedRow>,
    rejections: Vec<Rejection>,
    bytes: usize,
}

impl Staging {
    pub(super) fn new(caller: Caller, options: ImportOptions, import: Import) -> Self {
        Self {
            caller,
            options,
            import,
            parser: CsvParser::new(),
            mapper: None,
            is_inserted: false,
            rows: Vec::new(),
            rejections: Vec::new(),
            bytes: 0,
        }
    }

    /// Takes the next piece of the file. After an error nothing is left of the file, and more pieces are of no use.
    ///
    /// # Errors
    ///
    /// `validation_failed` for `file` when it is not CSV in UTF-8, and for options that do not fit its header;
    /// `forbidden` when the caller's right has gone meanwhile; `conflict` when the file took more than an hour.
    pub async fn push(&mut self, bytes: &[u8]) -> Result<()> {
        for piece in bytes.chunks(PIECE) {
            if let Err(error) = self.take(piece).await {
                self.discard().await;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Ends the file, and hands the import over to the worker.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push); and `validation_failed` for a `file` without rows.
    pub async fn finish(mut self) -> Result<Import> {
        match self.hand_over().await {
            Ok(()) => Ok(self.import),
            Err(error) => {
                self.discard().await;
                Err(error)
            }
        }
    }

    async fn take(&mut self, piece: &[u8]) -> Result<()> {
        let mut records = Vec::new();
        self.parser.push(piece, &mut records).map_err(|message| Error::field("file", message))?;
        self.map(&records)?;
        if self.rows.len() + self.rejections.len() >= ROWS_AT_ONCE || self.bytes >= BYTES_AT_ONCE {
            self.write(false).await?;
        }
        Ok(())
    }

    async fn hand_over(&mut self) -> Result<()> {
        let mut records = Vec::new();
        let parser = std::mem::replace(&mut self.parser, CsvParser::new());
        parser.finish(&mut records).map_err(|message| Error::field("file", message))?;
        self.map(&records)?;
        if self.mapper.is_none() {
            return Err(Error::field("file", "is empty: it must begin with a header"));
        }
        if self.import.total == 0 {
            return Err(Error::field("file", "has no rows below its header"));
        }
        self.write(true).await
    }

    fn map(&mut self, records: &[Record]) -> Result<()> {
        for record in records {
            let Some(mapper) = &self.mapper else {
                self.mapper = Some(Mapper::new(&record.cells, &self.options, self.import.kind)?);
                continue;
            };
            match mapper.take(record) {
                Mapped::Row(row) => {
                    self.bytes += row.cells.iter().map(String::len).sum::<usize>();
                    self.rows.push(row);
                }
                Mapped::Rejected(rejection) => {
                    self.import.rejected += 1;
                    self.rejections.push(rejection);
                }
                Mapped::Blank => continue,
            }
            self.import.total += 1;
        }
        Ok(())
    }

    /// Writes what has been mapped. The caller may have lost their right since the last time.
    async fn write(&mut self, is_all: bool) -> Result<()> {
        let Some(mapper) = &self.mapper else {
            return Ok(());
        };
        let mut work = self.caller.write().await?;
        work.actor().require(Action::Import)?;
        if !self.is_inserted {
            work.imports().insert(&self.import, self.caller.user_id(), &mapper.plan).await?;
        }
        work.imports().stage(self.import.id, &self.rows).await?;
        work.imports().reject(self.import.id, &self.rejections).await?;
        work.imports().arrived(&self.import, is_all).await?;
        work.commit().await?;
        self.is_inserted = true;
        self.bytes = 0;
        self.rows.clear();
        self.rejections.clear();
        Ok(())
    }

    /// Deletes what has been staged; should that fail, the worker does it later.
    async fn discard(&mut self) {
        if !self.is_inserted {
            return;
        }
        let discarded = async {
            let mut work = self.caller.write().await?;
            work.imports().discard(self.import.id).await?;
            work.commit().await
        };
        if let Err(error) = discarded.await {
            tracing::warn!(import.id = %self.import.id, %error, "what was staged of a refused file is still there");
        }
    }
}
