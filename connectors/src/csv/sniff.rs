//! Finds the dialect of a file from a sample of it.

use super::dialect::Dialect;
use super::records::read_record;

/// Delimiters that are tried, the likeliest first.
const DELIMITERS: [u8; 4] = [b',', b'|', b';', b'\t'];
/// Records that are cut for each candidate.
const SAMPLE_RECORDS: usize = 1_000;

/// What the user has stated of a dialect; the rest is found out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stated {
    /// Delimiter.
    pub delimiter: Option<u8>,
    /// Quote; `Some(None)` means there is none.
    pub quote: Option<Option<u8>>,
    /// Escape; `Some(None)` means there is none.
    pub escape: Option<Option<u8>>,
    /// Comment; `Some(None)` means there is none.
    pub comment: Option<Option<u8>>,
}

/// How well a dialect fits a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Fit {
    /// Records with broken quotes.
    damaged: usize,
    /// Records with as many fields as most have.
    agreeing: usize,
    records: usize,
    /// Fields of most records.
    fields: usize,
    quoted: usize,
}

impl Fit {
    /// Fit as numbers that compare: unbroken quotes, several columns, agreement, then more columns.
    fn rank(&self) -> (bool, bool, u64, usize) {
        let share = self.agreeing as u64 * 1_000 / self.records.max(1) as u64;
        let several = self.fields > 1 && share >= 500;
        (self.damaged == 0, several, share, self.fields)
    }
}

/// The dialect that fits the sample best among those that agree with what is stated.
pub fn sniff(sample: &[u8], stated: &Stated) -> Dialect {
    let line_end = line_end_of(sample);
    let comment = stated.comment.unwrap_or_else(|| leading_comment(sample, line_end));
    let delimiters = match &stated.delimiter {
        Some(delimiter) => std::slice::from_ref(delimiter),
        None => &DELIMITERS[..],
    };
    let mut best: Option<(Fit, Dialect)> = None;
    let mut fitting_quote = None;
    for (quote, escape) in quotings(stated) {
        // Fields that are quoted as they should be are no fields with quotes in them, however many commas they hold.
        if fitting_quote.is_some() && quote != fitting_quote {
            break;
        }
        for &delimiter in delimiters {
            let dialect = Dialect { delimiter, quote, escape, line_end, comment };
            let fit = fit_of(sample, &dialect);
            // A single quote is a quote only where it is seen to quote: it is an apostrophe everywhere else.
            if quote == Some(b'\'') && fit.quoted == 0 && stated.quote.is_none() {
                continue;
            }
            if fit.quoted > 0 && fit.damaged == 0 {
                fitting_quote = fitting_quote.or(quote);
            }
            if best.as_ref().is_none_or(|(known, _)| fit.rank() > known.rank()) {
                best = Some((fit, dialect));
            }
        }
    }
    best.map_or_else(Dialect::default, |(_, dialect)| dialect)
}

/// Pairs of quote and escape to be tried, the likeliest first.
fn quotings(stated: &Stated) -> Vec<(Option<u8>, Option<u8>)> {
    let all = [
        (Some(b'"'), Some(b'"')),
        (Some(b'"'), Some(b'\\')),
        (Some(b'\''), Some(b'\'')),
        (Some(b'\''), Some(b'\\')),
        (None, None),
    ];
    match (stated.quote, stated.escape) {
        (None, None) => all.to_vec(),
        (Some(None), _) => vec![(None, None)],
        (Some(Some(quote)), Some(escape)) => vec![(Some(quote), escape.or(Some(quote)))],
        (Some(Some(quote)), None) => vec![(Some(quote), Some(quote)), (Some(quote), Some(b'\\'))],
        (None, Some(escape)) => {
            vec![(Some(b'"'), escape.or(Some(b'"'))), (Some(b'\''), escape.or(Some(b'\'')))]
        }
    }
}

fn fit_of(sample: &[u8], dialect: &Dialect) -> Fit {
    let mut counts: Vec<usize> = Vec::new();
    let mut fit = Fit { damaged: 0, agreeing: 0, records: 0, fields: 0, quoted: 0 };
    let mut position = 0;
    while position < sample.len() && fit.records < SAMPLE_RECORDS {
        let start = position;
        let record = read_record(sample, position, dialect, |_, span| fit.quoted += usize::from(span.quoted));
        position = record.end;
        let blank = matches!(&sample[start..position], [] | [b'\n' | b'\r'] | [b'\r', b'\n']);
        if blank || dialect.comment.is_some_and(|comment| sample[start] == comment) {
            continue;
        }
        fit.records += 1;
        fit.damaged += usize::from(record.damage.is_some());
        if counts.len() <= record.fields {
            counts.resize(record.fields + 1, 0);
        }
        counts[record.fields] += 1;
    }
    for (fields, &records) in counts.iter().enumerate() {
        if records >= fit.agreeing && records > 0 {
            (fit.fields, fit.agreeing) = (fields, records);
        }
    }
    fit
}

/// A line feed, unless the sample has carriage returns only.
fn line_end_of(sample: &[u8]) -> u8 {
    if memchr::memchr(b'\n', sample).is_none() && memchr::memchr(b'\r', sample).is_some() {
        b'\r'
    } else {
        b'\n'
    }
}

/// `#`, if the first lines begin with it and the line after them has more delimiters than they have.
fn leading_comment(sample: &[u8], line_end: u8) -> Option<u8> {
    let mut lines = sample.split(|&byte| byte == line_end);
    let first = lines.next().filter(|line| line.starts_with(b"#"))?;
    let next = lines.find(|line| !line.starts_with(b"#") && !line.is_empty())?;
    let delimiters = |line: &[u8]| {
        DELIMITERS.iter().map(|&delimiter| memchr::memchr_iter(delimiter, line).count()).max().unwrap_or(0)
    };
    (delimiters(first) < delimiters(next)).then_some(b'#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sample: &str) -> (char, Option<char>, Option<char>) {
        let dialect = sniff(sample.as_bytes(), &Stated::default());
        (dialect.delimiter as char, dialect.quote.map(char::from), dialect.escape.map(char::from))
    }

    #[test]
    fn delimiters_are_found() {
        assert_eq!(found("a,b\n1,2\n").0, ',');
        assert_eq!(found("a;b\n1,5;2\n").0, ';');
        assert_eq!(found("a|b|c\n1|2|3\n").0, '|');
        assert_eq!(found("a\tb\n1,2\t3\n").0, '\t');
    }

    #[test]
    fn quotes_and_escapes_are_found() {
        assert_eq!(found("a,b\n\"x\"\"y\",2\n"), (',', Some('"'), Some('"')));
        assert_eq!(found("a,b\n\"x\\\"y\",2\n"), (',', Some('"'), Some('\\')));
        assert_eq!(found("a,b\n'x,y',2\n'z',3\n").1, Some('\''));
        assert_eq!(found("a,b\nit's,2\n'tis,3\n").1, Some('"'));
    }

    #[test]
    fn quoted_fields_of_one_column_may_hold_delimiters() {
        assert_eq!(found("v\n\"[1, 2, 3]\"\n").1, Some('"'));
        assert_eq!(found("v\n\n\"a; b | c\"\n\"x\"\n").1, Some('"'));
    }

    #[test]
    fn leading_comments_are_found_and_a_header_with_a_hash_is_not_one() {
        assert_eq!(sniff(b"#made by hand\na,b\n1,2\n", &Stated::default()).comment, Some(b'#'));
        assert_eq!(sniff(b"#id,name\n1,x\n", &Stated::default()).comment, None);
    }
}
