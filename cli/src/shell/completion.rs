//! Completion and multi-line input for the shell.

use rustyline::completion::{Completer, Pair};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper, Highlighter, Hinter, Result};

use super::statement_end::{is_blank, is_complete};

/// Words of the language, as they are completed.
const KEYWORDS: [&str; 92] = [
    "ALL",
    "ANALYZE",
    "AND",
    "ANTI",
    "AS",
    "ASC",
    "ASOF",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "COLUMNS",
    "COPY",
    "CREATE",
    "CROSS",
    "DATE",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "DROP",
    "ELSE",
    "END",
    "EXCEPT",
    "EXCLUDE",
    "EXECUTE",
    "EXISTS",
    "EXPLAIN",
    "FALSE",
    "FILTER",
    "FIRST",
    "FORMAT",
    "FROM",
    "FULL",
    "FUNCTION",
    "FUNCTIONS",
    "GROUP",
    "HAVING",
    "IF",
    "ILIKE",
    "IN",
    "INNER",
    "INTERSECT",
    "INTERVAL",
    "IS",
    "JOIN",
    "LAST",
    "LEFT",
    "LIKE",
    "LIMIT",
    "MACRO",
    "MATERIALIZED",
    "NATURAL",
    "NOT",
    "NULL",
    "NULLS",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "PIVOT",
    "PREPARE",
    "QUALIFY",
    "RENAME",
    "REPLACE",
    "RIGHT",
    "SELECT",
    "SEMI",
    "SET",
    "SHOW",
    "SIMILAR",
    "SUMMARIZE",
    "TABLE",
    "TABLES",
    "TEMP",
    "THEN",
    "TIMESTAMP",
    "TO",
    "TRUE",
    "TRY",
    "TRY_CAST",
    "UNION",
    "UNNEST",
    "USING",
    "VALUES",
    "VIEW",
    "WHEN",
    "WHERE",
    "WITH",
    "WITHIN",
];

/// What the shell knows of the names that can come next.
#[derive(Helper, Highlighter, Hinter, Default)]
pub(crate) struct ShellHelper {
    /// Tables, views and their columns.
    pub(crate) names: Vec<String>,
    /// Functions.
    pub(crate) functions: Vec<String>,
}

impl ShellHelper {
    /// Words that start with `prefix`, case ignored: names first, then functions, then keywords.
    fn candidates(&self, prefix: &str) -> Vec<Pair> {
        let starts =
            |word: &str| word.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        let plain = |word: &String| Pair { display: word.clone(), replacement: word.clone() };
        let call = |word: &String| Pair { display: format!("{word}()"), replacement: format!("{word}(") };
        let lower = prefix.chars().all(char::is_lowercase);
        let keyword = |word: &&str| {
            let word = if lower { word.to_lowercase() } else { (*word).to_owned() };
            Pair { display: word.clone(), replacement: word + " " }
        };
        let names = self.names.iter().filter(|word| starts(word)).map(plain);
        let functions = self.functions.iter().filter(|word| starts(word)).map(call);
        let keywords = KEYWORDS.iter().filter(|word| starts(word)).map(keyword);
        names.chain(functions).chain(keywords).collect()
    }
}

impl Completer for ShellHelper {
    type Candidate = Pair;

    fn complete(&self, line: &str, position: usize, _: &Context<'_>) -> Result<(usize, Vec<Pair>)> {
        let before = &line[..position];
        let is_word = |character: char| character.is_alphanumeric() || character == '_';
        let start = before
            .rfind(|character| !is_word(character))
            .map_or(0, |last| last + before[last..].chars().next().map_or(1, char::len_utf8));
        let prefix = &before[start..];
        Ok((start, if prefix.is_empty() { Vec::new() } else { self.candidates(prefix) }))
    }
}

impl Validator for ShellHelper {
    /// Input goes on over lines until a semicolon ends it; commands that start with a dot take one line.
    fn validate(&self, context: &mut ValidationContext) -> Result<ValidationResult> {
        let input = context.input();
        let done = is_blank(input) || input.trim_start().starts_with('.') || is_complete(input);
        Ok(if done { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

#[cfg(test)]
mod tests {
    use rustyline::completion::Completer;
    use rustyline::history::MemHistory;

    use super::ShellHelper;

    fn completed(line: &str) -> Vec<String> {
        let helper =
            ShellHelper { names: vec!["Price".into(), "pets".into()], functions: vec!["printf".into()] };
        let history = MemHistory::new();
        let context = rustyline::Context::new(&history);
        let (start, pairs) = helper.complete(line, line.len(), &context).unwrap();
        pairs.into_iter().map(|pair| format!("{}{}", &line[..start], pair.replacement)).collect()
    }

    #[test]
    fn names_come_before_functions_and_keywords() {
        assert_eq!(completed("SELECT pr"), ["SELECT Price", "SELECT printf(", "SELECT prepare "]);
        assert_eq!(completed("SELECT t.pe"), ["SELECT t.pets"]);
        assert_eq!(completed("SEL"), ["SELECT "]);
        assert!(completed("SELECT ").is_empty());
    }
}
