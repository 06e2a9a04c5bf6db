//! The results of all benches in one file, from which `table` makes a table.
#![expect(
    clippy::disallowed_methods,
    reason = "a variable of the environment names the file for the rows"
)]

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The variable that names the file. Without it nothing is written.
const FILE: &str = "CREDSIM_ROWS";

/// A figure.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Row {
    /// The group of the bench: `engine`.
    pub group: String,
    /// The subject of the measurement: `lapse`.
    pub who: String,
    /// The measured work: `10,000 clients, one virtual day`.
    pub what: String,
    /// How many callers there are.
    pub callers: u32,
    /// The unit: `virtual s/s`.
    pub unit: String,
    /// The median of the samples.
    pub median: f64,
    /// The lower quartile of the samples.
    pub low: f64,
    /// The upper quartile.
    pub high: f64,
    /// How many samples there are.
    pub samples: usize,
    /// A remark that is needed to read the figure.
    pub note: String,
}

impl Row {
    /// The same row about these samples.
    #[must_use]
    pub fn of(self, mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let last = samples.len().saturating_sub(1) as f64;
        let at = |index: f64| samples.get(index as usize).copied().unwrap_or(f64::NAN);
        // Linear interpolation between two samples.
        let quantile = |share: f64| {
            let (low, high) = ((last * share).floor(), (last * share).ceil());
            at(low) + (at(high) - at(low)) * (last * share - low)
        };
        Self {
            median: quantile(0.5),
            low: quantile(0.25),
            high: quantile(0.75),
            samples: samples.len(),
            ..self
        }
    }

    fn is_same(&self, other: &Value) -> bool {
        let names = [
            ("group", &self.group),
            ("who", &self.who),
            ("what", &self.what),
            ("unit", &self.unit),
        ];
        names.iter().all(|(name, value)| other[*name] == **value)
            && other["callers"] == self.callers
    }
}

/// Adds the rows to the JSON array in the file that `CREDSIM_ROWS` names. A row of an earlier run
/// with the same keys is replaced.
///
/// # Errors
/// The file can't be read or written, or holds something else.
pub fn write(rows: &[Row]) -> io::Result<()> {
    match std::env::var_os(FILE) {
        Some(file) => add(rows, Path::new(&file)),
        None => Ok(()),
    }
}

fn add(rows: &[Row], file: &Path) -> io::Result<()> {
    let mut all: Vec<Value> = match fs::read(file) {
        Ok(text) => serde_json::from_slice(&text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let is_one = |row: &&Row| {
        [row.median, row.low, row.high]
            .iter()
            .all(|n| n.is_finite())
    };
    if let Some(row) = rows.iter().find(|row| !is_one(row)) {
        let what = format!("{}: {}: {} has no figure", row.group, row.who, row.what);
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    all.retain(|known| !rows.iter().any(|row| row.is_same(known)));
    for row in rows {
        all.push(serde_json::to_value(row)?);
    }
    fs::write(file, serde_json::to_string_pretty(&all)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(what: &str, samples: &[f64]) -> Row {
        Row {
            group: "engine".to_owned(),
            who: "lapse".to_owned(),
            what: what.to_owned(),
            callers: 10,
            unit: "virtual s/s".to_owned(),
            median: 0.0,
            low: 0.0,
            high: 0.0,
            samples: 0,
            note: String::new(),
        }
        .of(samples.to_vec())
    }

    #[test]
    fn rows_are_added_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rows.json");
        add(
            &[row("a day", &[3.0, 1.0, 2.0]), row("a minute", &[1.0, 2.0])],
            &file,
        )
        .unwrap();
        add(&[row("a day", &[5.0])], &file).unwrap();
        let all: Vec<Value> = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(
            (&all[0]["what"], &all[0]["median"]),
            (&"a minute".into(), &1.5.into())
        );
        assert_eq!(
            (&all[1]["samples"], &all[1]["high"]),
            (&1.into(), &5.0.into())
        );
    }
}
