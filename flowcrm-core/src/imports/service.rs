use super::{
    Import, ImportKind, ImportOptions, ImportQuery, ImportRun, ImportState, KeptQuery, KeptRecord, Progress,
    RejectedFile, Rejection, RejectionQuery, Staging,
};
use crate::access::Action;
use crate::caller::Caller;
use crate::error::{OrNotFound, Result};
use crate::ids::ImportId;
use crate::input::{Asked, Input};
use crate::page::Page;
use crate::work::Work;

/// What a caller may do with imports.
#[derive(Debug)]
pub struct Imports<'a> {
    caller: &'a Caller,
}

impl<'a> Imports<'a> {
    pub(crate) const fn new(caller: &'a Caller) -> Self {
        Self { caller }
    }

    /// Begins to take in a file; its records belong to the caller, unless it says otherwise.
    ///
    /// # Errors
    ///
    /// `forbidden`; `validation_failed` for the options, whose names begin with `options.`.
    pub async fn begin(
        &self,
        kind: ImportKind,
        options: impl Input<ImportOptions>,
        file_name: String,
    ) -> Result<Staging> {
        let body = options.into_body()?;
        let asked = body.canonical();
        let mut work = self.permitted().await?;
        let options: ImportOptions = work.decode(body).await.map_err(|error| error.inside("options"))?;
        options.check(kind).map_err(|error| error.inside("options"))?;
        let import = Import {
            id: work.env().id(),
            kind,
            file: shown(&file_name),
            state: ImportState::Queued,
            error: None,
            dry_run: options.dry_run,
            total: 0,
            created: 0,
            updated: 0,
            skipped: 0,
            rejected: 0,
            removed: 0,
            restored: 0,
            kept: 0,
            created_at: work.env().now(),
            started_at: None,
            finished_at: None,
            undone_at: None,
        };
        Ok(Staging::new(self.caller.clone(), (options, &asked), import, work.actor().currency))
    }

    /// Lists the organization's imports.
    ///
    /// # Errors
    ///
    /// `forbidden`; `validation_failed` for a bad query.
    pub async fn list(&self, query: impl Into<Asked<ImportQuery>>) -> Result<Page<Import>> {
        let mut work = self.permitted().await?;
        let query = query.into().read(work.actor().currency)?;
        let total = if query.list.count { Some(work.imports().count().await?) } else { None };
        let imports = work.imports().list(&query).await?;
        Ok(Page::cut(imports, &query.list, total))
    }

    /// Reads an import.
    ///
    /// # Errors
    ///
    /// `forbidden`, `not_found`.
    pub async fn get(&self, id: ImportId) -> Result<Import> {
        let mut work = self.permitted().await?;
        work.imports().find(id).await?.or_not_found("import")
    }

    /// Begins to watch an import.
    ///
    /// # Errors
    ///
    /// `forbidden`, `not_found`.
    pub async fn progress(&self, id: ImportId) -> Result<Progress> {
        self.get(id).await?;
        Ok(Progress::new(self.caller.clone(), id))
    }

    /// Works on an import that waits, unless another process has taken it up, and watches it: for a program that has
    /// no [worker](crate::Crm::worker).
    ///
    /// # Errors
    ///
    /// `forbidden`, `not_found`.
    pub async fn run(&self, id: ImportId) -> Result<ImportRun> {
        Ok(ImportRun::begin(self.progress(id).await?))
    }

    /// Lists an import's rejected rows, in the order of the file.
    ///
    /// # Errors
    ///
    /// `forbidden`, `not_found`; `validation_failed` for a bad query.
    pub async fn rejected(
        &self,
        id: ImportId,
        query: impl Into<Asked<RejectionQuery>>,
    ) -> Result<Page<Rejection>> {
        let mut work = self.permitted().await?;
        let query = query.into().read(work.actor().currency)?;
        work.imports().find(id).await?.or_not_found("import")?;
        let total = if query.list.count { Some(work.imports().count_rejections(id).await?) } else { None };
        let rejections = work.imports().rejections(id, &query).await?;
        Ok(Page::cut(rejections, &query.list, total).map(|row| row.rejection))
    }

    /// Begins to write an import's rejected rows as a CSV file, to be put right and imported again.
    ///
    /// # Errors
    ///
    /// `forbidden`, `not_found`.
    pub async fn rejected_file(&self, id: ImportId) -> Result<RejectedFile> {
        let mut work = self.permitted().await?;
        let plan = work.imports().plan(id).await?.or_not_found("import")?;
        Ok(RejectedFile::new(self.caller.clone(), id, plan))
    }

    /// Begins to undo an import; a worker does it. What it created is deleted, what it updated becomes what it was
    /// before, and records that somebody has changed since, or that activities, deals or tasks refer to, are
    /// [`kept`](Self::kept). An import that still runs is stopped. Asking again takes up what was kept anew.
    ///
    /// # Errors
    ///
    /// `forbidden`, `not_found`; `conflict` for a dry run.
    pub async fn undo(&self, id: ImportId) -> Result<Import> {
        let mut work = self.caller.write().await?;
        work.actor().require(Action::Import)?;
        let import = work.imports().lock(id).await?.or_not_found("import")?;
        if import.is_undone() {
            return Ok(import);
        }
        let import = import.undoing()?;
        work.imports().begin_undo(&import, self.caller.user_id()).await?;
        work.commit().await?;
        Ok(import)
    }

    /// Lists the records that undoing an import has left as they are, in the order of the file.
    ///
    /// # Errors
    ///
    /// `forbidden`, `not_found`; `validation_failed` for a bad query.
    pub async fn kept(&self, id: ImportId, query: impl Into<Asked<KeptQuery>>) -> Result<Page<KeptRecord>> {
        let mut work = self.permitted().await?;
        let query = query.into().read(work.actor().currency)?;
        let import = work.imports().find(id).await?.or_not_found("import")?;
        let total = query.list.count.then(|| u64::try_from(import.kept).unwrap_or_default());
        let kept = work.imports().kept(id, &query).await?;
        Ok(Page::cut(kept, &query.list, total))
    }

    async fn permitted(&self) -> Result<Work> {
        let work = self.caller.read().await?;
        work.actor().require(Action::Import)?;
        Ok(work)
    }
}

/// A file's name as it is shown: the last part of a path, without control characters, 1 to 200 characters.
fn shown(file_name: &str) -> String {
    let last = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown: String = last.chars().filter(|character| !character.is_control()).take(200).collect();
    match shown.trim() {
        "" => "file.csv".to_owned(),
        shown => shown.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_file_is_called_by_the_last_part_of_its_path() {
        assert_eq!(shown("C:\\Users\\ada\\my\u{7} leads.csv"), "my leads.csv");
        assert_eq!(shown("../.. /"), "file.csv");
    }
}
