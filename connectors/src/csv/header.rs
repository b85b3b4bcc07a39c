//! Names of columns from a header, or made up.

use std::collections::HashMap;

/// The names of a header's fields: trimmed, made up where empty, and each different from the others.
pub fn names_of_header(fields: &[String]) -> Vec<String> {
    let name = |(index, field): (usize, &String)| match field.trim() {
        "" => made_up(index, fields.len()),
        trimmed => trimmed.to_owned(),
    };
    distinct_names(fields.iter().enumerate().map(name))
}

/// The same names, with a number behind those that repeat an earlier one, case aside.
pub fn distinct_names(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut distinct = Vec::new();
    for mut name in names {
        // A name that was seen gets the number of times it was; the result may have been seen as well.
        while let Some(times) = seen.get_mut(&name.to_lowercase()) {
            let numbered = format!("{name}_{times}");
            *times += 1;
            name = numbered;
        }
        seen.insert(name.to_lowercase(), 1);
        distinct.push(name);
    }
    distinct
}

/// Names for columns without a header.
pub fn made_up_names(count: usize) -> Vec<String> {
    (0..count).map(|index| made_up(index, count)).collect()
}

/// Names have equally many digits, so that they sort in their order.
fn made_up(index: usize, count: usize) -> String {
    let digits = count.saturating_sub(1).max(1).ilog10() as usize + 1;
    format!("column{index:0digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_names_are_numbered() {
        let names =
            |fields: &[&str]| names_of_header(&fields.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(names(&["a", "a", "A", "a_1"]), ["a", "a_1", "A_2", "a_1_1"]);
        assert_eq!(names(&["a", "", " c "]), ["a", "column1", "c"]);
    }
}
