//! One table of all figures: `table [--json ALL] ROWS...`.
//!
//! Reads files of rows as the benches write them, prints them as a table in Markdown, and writes
//! them all into one file if asked.
#![expect(clippy::disallowed_methods, reason = "files of the real machine")]

use std::{collections::BTreeSet, env, fs, process::ExitCode};

use credsim_benches::rows::Row;

fn main() -> ExitCode {
    match run(env::args().skip(1)) {
        Ok(table) => {
            print!("{table}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("table: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(mut arguments: impl Iterator<Item = String>) -> Result<String, String> {
    let (mut rows, mut all) = (Vec::new(), None);
    while let Some(argument) = arguments.next() {
        if argument == "--json" {
            all = Some(arguments.next().ok_or("--json needs a file")?);
            continue;
        }
        let text = fs::read(&argument).map_err(|error| format!("{argument}: {error}"))?;
        let some: Vec<Row> =
            serde_json::from_slice(&text).map_err(|error| format!("{argument}: {error}"))?;
        rows.extend(some);
    }
    if rows.is_empty() {
        return Err("expected files of rows: table [--json ALL] ROWS...".to_owned());
    }
    if let Some(file) = all {
        let text = serde_json::to_string_pretty(&rows).map_err(|error| error.to_string())?;
        fs::write(&file, text + "\n").map_err(|error| format!("{file}: {error}"))?;
    }
    Ok(table(&rows))
}

/// Groups in the order in which they come; within a group, the rows in theirs, callers side by
/// side.
fn table(rows: &[Row]) -> String {
    let mut groups: Vec<&str> = Vec::new();
    for row in rows {
        if !groups.contains(&row.group.as_str()) {
            groups.push(&row.group);
        }
    }
    groups
        .iter()
        .map(|group| {
            let rows: Vec<&Row> = rows.iter().filter(|row| row.group == *group).collect();
            one_group(group, &rows)
        })
        .collect()
}

fn one_group(group: &str, rows: &[&Row]) -> String {
    let mut columns: BTreeSet<(&str, u32)> = BTreeSet::new();
    let mut lines: Vec<(&str, &str)> = Vec::new();
    for row in rows {
        columns.insert((&row.unit, row.callers));
        if !lines.contains(&(&row.who, &row.what)) {
            lines.push((&row.who, &row.what));
        }
    }
    let mut text = format!("\n### {group}\n\n| who | what |");
    for (unit, callers) in &columns {
        let callers = match callers {
            1 => "1 caller".to_owned(),
            many => format!("{} callers", number(f64::from(*many))),
        };
        text += &format!(" {callers}, {unit} |");
    }
    text += &format!("\n|---|---|{}\n", "---|".repeat(columns.len()));
    for (who, what) in lines {
        text += &format!("| {who} | {what} |");
        for (unit, callers) in &columns {
            let of = |row: &&&Row| {
                row.who == who && row.what == what && row.callers == *callers && row.unit == *unit
            };
            text += &match rows.iter().find(of) {
                Some(row) => format!(" {} |", cell(row)),
                None => " – |".to_owned(),
            };
        }
        text.push('\n');
    }
    let mut notes: Vec<&str> = rows.iter().map(|row| row.note.as_str()).collect();
    notes.retain(|note| !note.is_empty());
    notes.dedup();
    notes.sort_unstable();
    notes.dedup();
    for note in notes {
        text += &format!("\n{note}\n");
    }
    text
}

/// The median, and the range of the samples in its middle if there is one.
fn cell(row: &Row) -> String {
    let median = number(row.median);
    if row.samples < 2 || row.low == row.high {
        return median;
    }
    format!("{median} ({} to {})", number(row.low), number(row.high))
}

/// With thousands apart; fractions where they matter.
fn number(value: f64) -> String {
    if !value.is_finite() {
        return "?".to_owned();
    }
    if value.abs() < 100.0 {
        let text = format!("{value:.2}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        return text.to_owned();
    }
    let digits = format!("{value:.0}");
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits.to_owned()),
        None => ("", digits),
    };
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{sign}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(who: &str, callers: u32, samples: &[f64]) -> Row {
        Row {
            group: "hit".to_owned(),
            who: who.to_owned(),
            what: "typed".to_owned(),
            callers,
            unit: "ns".to_owned(),
            median: 0.0,
            low: 0.0,
            high: 0.0,
            samples: 0,
            note: "a note".to_owned(),
        }
        .of(samples.to_vec())
    }

    #[test]
    fn rows_of_one_group_are_one_table() {
        let rows = [
            row("ours", 1, &[12.346]),
            row("theirs", 1, &[1234567.0]),
            row("ours", 1000, &[1.0, 2.0, 3.0]),
        ];
        assert_eq!(
            table(&rows),
            "\n### hit\n\n| who | what | 1 caller, ns | 1,000 callers, ns |\n|---|---|---|---|\n\
             | ours | typed | 12.35 | 2 (1.5 to 2.5) |\n| theirs | typed | 1,234,567 | – |\n\
             \na note\n"
        );
    }

    #[test]
    fn another_unit_is_another_column() {
        let mut rates = row("ours", 1, &[5.0]);
        rates.unit = "hits/s".to_owned();
        let table = table(&[row("ours", 1, &[12.0]), rates]);
        assert!(
            table.contains("| 1 caller, hits/s | 1 caller, ns |"),
            "{table}"
        );
        assert!(table.contains("| ours | typed | 5 | 12 |"), "{table}");
    }

    #[test]
    fn a_missing_file_is_an_error_that_names_it() {
        let error = run(["no-such-file.json".to_owned()].into_iter()).unwrap_err();
        assert!(error.starts_with("no-such-file.json: "), "{error}");
        assert!(run(std::iter::empty()).is_err());
    }
}
