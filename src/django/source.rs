//! The file that the rows are in, of whatever form.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::django::error::{Progress, ReadError, SourceError};
use crate::django::row::Row;
use crate::django::site::{Site, Survey};
use crate::django::sqlite::{self, Database};
use crate::django::{fixture, tables};

/// A file that a Django project's rows are in.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    path: PathBuf,
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Fixture,
    Sqlite,
}

impl Source {
    pub(crate) fn open(path: &Path) -> Result<Self, SourceError> {
        let failed = |error| SourceError::Io(path.to_owned(), error);
        let mut file = File::open(path).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            let why = io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file, and is read twice");
            return Err(failed(why));
        }
        let mut head = Vec::new();
        (&mut file).take(16).read_to_end(&mut head).map_err(failed)?;
        let format = if sqlite::is_database(&head) { Format::Sqlite } else { Format::Fixture };
        Ok(Self { path: path.to_owned(), format })
    }

    /// Reads what there is beside the users. `user_model`: which model they are of, if somebody says so.
    pub(crate) fn survey(&self, user_model: Option<&str>) -> Result<Site, SourceError> {
        let mut survey = Survey::new(user_model);
        self.rows(&mut |row, _| {
            survey.take(row);
            Ok(())
        })?;
        survey.finish().map_err(|why| SourceError::Meaning(self.path.clone(), why))
    }

    /// Shows every row to `take`, which may end the reading with an error of its own.
    pub(crate) fn rows(
        &self,
        take: &mut dyn FnMut(Row, Progress) -> Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        let failed = |error| SourceError::Io(self.path.clone(), error);
        match self.format {
            Format::Fixture => {
                let file = File::open(&self.path).map_err(failed)?;
                let whole = file.metadata().map_err(failed)?.len();
                fixture::read(file, whole, take).map_err(|error| self.explain(error))
            }
            Format::Sqlite => Database::open(&self.path)
                .and_then(|database| tables::read(&database, take))
                .map_err(|error| self.explain(error)),
        }
    }

    fn explain(&self, error: ReadError) -> SourceError {
        match error {
            ReadError::Io(error) => SourceError::Io(self.path.clone(), error),
            ReadError::Format(why) => SourceError::Format(self.path.clone(), why),
            ReadError::Taker(error) => error,
        }
    }
}
