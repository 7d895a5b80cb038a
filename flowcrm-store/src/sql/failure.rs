use flowcrm_core::Error;
use sqlx::error::ErrorKind;

/// What a driver's error means to the core. The driver's words go to the log, never to a client.
pub(crate) fn failure(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Io(_) => Error::unavailable(error),
        sqlx::Error::Database(database) => match (database.kind(), database.code().as_deref()) {
            (ErrorKind::UniqueViolation, _) => Error::conflict("Somebody else has just taken this email or id."),
            (ErrorKind::ForeignKeyViolation, _) => Error::conflict("A record that this refers to has just gone."),
            // Postgres: serialization failure, deadlock, lock timeout, statement timeout, idle within a transaction for
            // too long, shutting down or starting up, too many connections. SQLite: busy or locked by another process, in all their extended forms.
            (
                _,
                Some(
                    "40001" | "40P01" | "55P03" | "57014" | "25P03" | "57P01" | "57P02" | "57P03" | "53300" // Postgres
                    | "5" | "6" | "261" | "262" | "517" | "518" | "773", // SQLite
                ),
            ) => Error::unavailable(error),
            _ => Error::internal(error),
        },
        _ => Error::internal(error),
    }
}
