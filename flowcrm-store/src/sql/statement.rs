/// A statement in the dialects of both engines; most are one text for both.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sql {
    pub(crate) postgres: &'static str,
    pub(crate) sqlite: &'static str,
}

impl Sql {
    /// One text for both engines.
    pub(crate) const fn both(text: &'static str) -> Self {
        Self { postgres: text, sqlite: text }
    }

    /// What one text cannot say for both.
    pub(crate) const fn pair(postgres: &'static str, sqlite: &'static str) -> Self {
        Self { postgres, sqlite }
    }
}

/// Declares a file's statements, and lists them for the test that prepares each on both engines.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* const $name: $crate::sql::Sql = $sql;)*

        /// Every statement of this file with its name.
        #[cfg(test)]
        pub(crate) const STATEMENTS: &[(&str, $crate::sql::Sql)] = &[$((stringify!($name), $name),)*];
    };
}

pub(crate) use statements;
