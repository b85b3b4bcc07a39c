//! Sparse features as maps from keys to weights, and the length of id lists as a feature.

use super::CATEGORY;
use crate::error::Error;
use crate::kernel::bucketize::{Borders, Closed};
use crate::list::MemberSet;
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Pattern, exact, list_of_variable, parameter};
use crate::types::Type;
use crate::value::Value;

pub(super) fn register(registry: &mut Registry) {
    let map = |name| {
        let value = Box::new(Pattern::Exact(Type::Float64));
        parameter(name, Pattern::Map(Box::new(Pattern::Variable("K")), value))
    };
    registry.register_scalar(
        ScalarFunction::new(
            "kv_dot_product",
            CATEGORY,
            "Sum of the products of the weights of the keys that two maps have in common.",
        )
        .note("0 without common keys; null weights are left out. Added up in the order of the second map.")
        .example("kv_dot_product(map(['a', 'b'], [2, 3]), map(['b', 'c'], [4, 5]))", "12.0")
        .overload([map("a"), map("b")], |_| Ok(dot_product())),
    );
    registry.register_scalar(
        ScalarFunction::new(
            "list_len_bucket",
            CATEGORY,
            "Bucket of the length of a list, from 0: the number of borders that it has reached.",
        )
        .note("The borders must be constant and must not decrease.")
        .example("list_len_bucket([7, 8, 9], [1, 3, 10])", "2")
        .overload([list_of_variable("list"), exact("borders", Type::list(Type::Float64))], length_bucket),
    );
}

fn dot_product() -> Bound {
    Bound::strict(Type::Float64, |arguments, rows, output, scratch| {
        let members = scratch.slot::<MemberSet>();
        let (a, b) = (arguments[0].list(), arguments[1].list());
        let [keys_a, keys_b] = [a, b].map(|entries| entries.child().field(0));
        let [weights_a, weights_b] = [a, b].map(|entries| entries.child().field(1));
        let (of_a, of_b) = (weights_a.fixed::<f64>(), weights_b.fixed::<f64>());
        let sums = output.fixed::<f64>();
        rows.for_each(|row| {
            members.fill(&keys_a, a.range(row));
            let mut sum = 0.0;
            for at in b.range(row) {
                let Some(member) = members.find(&keys_a, &keys_b, at) else { continue };
                let place = members.places()[member] as usize;
                if weights_a.is_valid(place) && weights_b.is_valid(at) {
                    sum += of_a.get(place) * of_b.get(at);
                }
            }
            sums[row] = sum;
        });
        Ok(())
    })
}

fn length_bucket(arguments: &Arguments<'_>) -> crate::Result<Bound> {
    let refused = |problem: String| Error::argument(arguments.function, 2, problem);
    let Some(values) = arguments.constant(1)?.as_list() else {
        return Err(refused("must be a constant list, not NULL".into()));
    };
    let borders: Option<Vec<f64>> = values.iter().map(Value::as_f64).collect();
    let borders = borders.ok_or_else(|| refused("holds a null; expected numbers".into()))?;
    let borders: Borders<i64> =
        Borders::new(&borders, Closed::Left).map_err(|error| refused(format!("is refused: {error}")))?;
    Ok(Bound::strict(Type::Int32, move |arguments, rows, output, _| {
        let list = arguments[0].list();
        let buckets = output.fixed::<i32>();
        rows.for_each(|row| buckets[row] = borders.bucket(list.length(row) as i64));
        Ok(())
    }))
}
