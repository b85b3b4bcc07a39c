//! Truth values, null tests, and what is known of a value's type.

use crate::column::{Rows, View};
use crate::lanes::unary;
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::{any, exact};
use crate::types::Type;

const CATEGORY: &str = "logic";

/// Adds the family.
pub(crate) fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("not", CATEGORY, "The opposite truth value.")
            .note("Null for null.")
            .example("NOT true", "false")
            .overload([exact("x", Type::Boolean)], |_| Ok(Bound::lanes(Type::Boolean, unary(|x: bool| !x)))),
    );
    registry.register_scalar(
        null_test("is_null", true, "True if the value is null.").example("NULL IS NULL", "true"),
    );
    registry.register_scalar(
        null_test("is_not_null", false, "True if the value is not null.").example("1 IS NOT NULL", "true"),
    );
    registry.register_scalar(
        ScalarFunction::new("typeof", CATEGORY, "Name of the type of a value.")
            .note("Never null.")
            .example("typeof(1 + 1)", "INTEGER")
            .overload([any("x")], |arguments| {
                let name = arguments.types[0].to_string();
                Ok(Bound::null_aware(Type::Text, move |_, rows, output, _| {
                    let mut writer = output.text();
                    rows.for_each(|row| writer.set(row, &name));
                    Ok(())
                }))
            }),
    );
}

fn null_test(name: &str, wanted: bool, summary: &str) -> ScalarFunction {
    ScalarFunction::new(name, CATEGORY, summary).note("Never null.").overload([any("x")], move |_| {
        Ok(Bound::null_aware(Type::Boolean, move |arguments, rows, output, _| {
            let bits = output.boolean();
            match (rows, validity_of(&arguments[0])) {
                // Whole words of the validity, where rows and values are the same.
                (Rows::All(_), Some(validity)) if bits.words.len() == validity.words() => {
                    for (index, word) in bits.words.iter_mut().enumerate() {
                        *word = if wanted { !validity.word(index) } else { validity.word(index) };
                    }
                }
                _ => rows.for_each(|row| bits.set(row, arguments[0].is_null(row) == wanted)),
            }
            Ok(())
        }))
    })
}

fn validity_of<'a>(view: &View<'a>) -> Option<crate::column::Bits<'a>> {
    if view.is_flat() { view.validity } else { None }
}

#[cfg(test)]
mod tests {
    use crate::answers::check_examples;

    #[test]
    fn examples_show_what_they_say() {
        check_examples(&["logic"]);
    }
}
