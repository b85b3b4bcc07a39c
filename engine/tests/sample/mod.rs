//! A small registry of functions of every shape, and short ways to write expressions over them.
#![allow(dead_code)] // Each test binary uses a part.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use hypostyle_engine::plan::Expression;
use hypostyle_engine::{Catalog, Configuration, Context};
use hypostyle_functions::lanes::{self, Outcome};
use hypostyle_functions::scalar::{Bound, ScalarFunction, Settings, Volatility};
use hypostyle_functions::signature::{any, exact, lambda, list_of_variable};
use hypostyle_functions::{Error, Literal, Registry, Type, Value};

/// Texts that `length` was called on, over all evaluators of the process.
pub static LENGTH_CALLS: AtomicUsize = AtomicUsize::new(0);

pub fn context(fuse: bool) -> Arc<Context> {
    let configuration = Configuration { fuse, ..Configuration::default() };
    let catalog = Arc::new(Catalog::default());
    Arc::new(Context::new(Arc::new(registry()), catalog, Settings::default(), configuration))
}

pub fn registry() -> Registry {
    let mut registry = Registry::empty();
    arithmetic(&mut registry);
    comparison(&mut registry);
    text(&mut registry);
    list(&mut registry);
    let counter = AtomicI64::new(0);
    let counter = Arc::new(counter);
    registry.register_scalar(
        ScalarFunction::new("ticket", "test", "Another number for each row.")
            .volatility(Volatility::Volatile)
            .overload([], move |_| {
                let counter = Arc::clone(&counter);
                Ok(Bound::null_aware(Type::Int64, move |_, rows, output, _| {
                    let values = output.fixed::<i64>();
                    rows.for_each(|row| values[row] = counter.fetch_add(1, Ordering::Relaxed));
                    Ok(())
                }))
            }),
    );
    registry
}

fn arithmetic(registry: &mut Registry) {
    macro_rules! total {
        ($name:literal, $rust:ty, $type:ident, $function:expr) => {
            registry.register_scalar(
                ScalarFunction::new($name, "test", "")
                    .overload([exact("a", Type::$type), exact("b", Type::$type)], |_| {
                        Ok(Bound::lanes(Type::$type, lanes::binary::<$rust, $rust, $rust>($function)))
                    }),
            );
        };
    }
    total!("add", f64, Float64, |a, b| a + b);
    total!("multiply", f64, Float64, |a, b| a * b);
    total!("least", f64, Float64, f64::min);
    total!("add_f32", f32, Float32, |a, b| a + b);
    total!("multiply_f32", f32, Float32, |a, b| a * b);
    let sum = ScalarFunction::new("plus", "test", "").overload(
        [exact("a", Type::Int64), exact("b", Type::Int64)],
        |_| {
            Ok(Bound::lanes(
                Type::Int64,
                lanes::checked(i64::overflowing_add, |a: i64, b: i64| Error::OutOfRange {
                    operation: "+",
                    detail: format!("{a} + {b}"),
                    target: Type::Int64,
                }),
            ))
        },
    );
    registry.register_scalar(sum);
    let quotient = ScalarFunction::new("divide", "test", "").overload(
        [exact("a", Type::Int64), exact("b", Type::Int64)],
        |_| {
            Ok(Bound::lanes(
                Type::Int64,
                lanes::partial_binary(
                    |a: i64, b: i64| match a.checked_div(b) {
                        Some(value) => Outcome::Value(value),
                        None => Outcome::Failed,
                    },
                    |_, _| Error::DivisionByZero { operation: "//" },
                ),
            ))
        },
    );
    registry.register_scalar(quotient);
    let positive = ScalarFunction::new("positive", "test", "Null unless positive.").overload(
        [exact("a", Type::Int64)],
        |_| {
            let rule = |a: i64| if a > 0 { Outcome::Value(a) } else { Outcome::Null };
            Ok(Bound::lanes(Type::Int64, lanes::partial_unary(rule, |_: i64| Error::user("never"))))
        },
    );
    registry.register_scalar(positive);
    let most = ScalarFunction::new("most", "test", "").variadic([exact("a", Type::Int64)], |_| {
        Ok(Bound::combining_lanes(Type::Int64, lanes::binary(|a: i64, b: i64| a.max(b))))
    });
    registry.register_scalar(most);
    let double = ScalarFunction::new("double", "test", "").overload([exact("a", Type::Int64)], |_| {
        Ok(Bound::lanes(Type::Float64, lanes::unary(|a: i64| a as f64)))
    });
    registry.register_scalar(double);
    let narrow = ScalarFunction::new("narrow", "test", "").overload([exact("a", Type::Int64)], |_| {
        Ok(Bound::lanes(Type::Int16, lanes::unary(|a: i64| a as i16)))
    });
    registry.register_scalar(narrow);
    let widen = ScalarFunction::new("widen", "test", "").overload([exact("a", Type::Int16)], |_| {
        Ok(Bound::lanes(Type::Decimal(20, 2), lanes::unary(|a: i16| i128::from(a) * 100)))
    });
    registry.register_scalar(widen);
    let clamp = ScalarFunction::new("clamp", "test", "").overload(
        [exact("a", Type::Float64), exact("low", Type::Float64), exact("high", Type::Float64)],
        |_| {
            Ok(Bound::lanes(
                Type::Float64,
                lanes::ternary(|a: f64, low: f64, high: f64| a.max(low).min(high)),
            ))
        },
    );
    registry.register_scalar(clamp);
}

fn comparison(registry: &mut Registry) {
    let less = ScalarFunction::new("less", "test", "")
        .overload([exact("a", Type::Float64), exact("b", Type::Float64)], |_| {
            Ok(Bound::lanes(Type::Boolean, lanes::binary(|a: f64, b: f64| a < b)))
        })
        .overload([exact("a", Type::Int64), exact("b", Type::Int64)], |_| {
            Ok(Bound::lanes(Type::Boolean, lanes::binary(|a: i64, b: i64| a < b)))
        });
    registry.register_scalar(less);
    let not = ScalarFunction::new("not", "test", "").overload([exact("a", Type::Boolean)], |_| {
        Ok(Bound::lanes(Type::Boolean, lanes::unary(|a: bool| !a)))
    });
    registry.register_scalar(not);
    let is_null = ScalarFunction::new("is_null", "test", "").overload([any("a")], |_| {
        Ok(Bound::null_aware(Type::Boolean, |arguments, rows, output, _| {
            let bits = output.boolean();
            rows.for_each(|row| bits.set(row, arguments[0].is_null(row)));
            Ok(())
        }))
    });
    registry.register_scalar(is_null);
}

fn text(registry: &mut Registry) {
    let length = ScalarFunction::new("length", "test", "").overload([exact("text", Type::Text)], |_| {
        Ok(Bound::strict(Type::Int64, |arguments, rows, output, _| {
            let text = arguments[0].text();
            let values = output.fixed::<i64>();
            LENGTH_CALLS.fetch_add(rows.count(), Ordering::Relaxed);
            rows.for_each(|row| values[row] = text.get(row).len() as i64);
            Ok(())
        }))
    });
    registry.register_scalar(length);
    let upper = ScalarFunction::new("upper", "test", "").overload([exact("text", Type::Text)], |_| {
        Ok(Bound::strict(Type::Text, |arguments, rows, output, _| {
            let text = arguments[0].text();
            let mut writer = output.text();
            rows.for_each(|row| {
                writer.build(row, |out| text.get(row).chars().for_each(|c| out.push(c.to_ascii_uppercase())));
            });
            Ok(())
        }))
    });
    registry.register_scalar(upper);
    let concat = ScalarFunction::new("concat", "test", "").variadic([exact("text", Type::Text)], |_| {
        Ok(Bound::null_aware(Type::Text, |arguments, rows, output, _| {
            let mut writer = output.text();
            rows.for_each(|row| {
                writer.build(row, |out| {
                    for argument in arguments.iter().filter(|argument| argument.is_valid(row)) {
                        out.push_str(argument.text().get(row));
                    }
                });
            });
            Ok(())
        }))
    });
    registry.register_scalar(concat);
    let parse = ScalarFunction::new("parse", "test", "").overload([exact("text", Type::Text)], |_| {
        Ok(Bound::strict(Type::Int64, |arguments, rows, output, _| {
            let text = arguments[0].text();
            rows.for_each(|row| match text.get(row).parse() {
                Ok(value) => output.fixed::<i64>()[row] = value,
                Err(_) => output.fail(row, || Error::user(format!("{:?} is no number", text.get(row)))),
            });
            Ok(())
        }))
    });
    registry.register_scalar(parse);
}

fn list(registry: &mut Registry) {
    let transform = ScalarFunction::new("list_transform", "test", "").higher_order(
        [list_of_variable("list"), lambda("lambda", 1..=1)],
        |types, _, _| Ok(types[0].element().cloned().into_iter().collect()),
        |arguments| {
            let element = arguments.types[1].clone();
            Ok(Bound::higher_order(
                Type::list(element.clone()),
                hypostyle_functions::scalar::Nulls::Strict,
                move |arguments, lambdas, rows, output, scratch| {
                    let list = arguments[0].list();
                    let slot = scratch.slot::<TransformSlot>();
                    slot.elements.clear();
                    slot.rows.clear();
                    rows.for_each(|row| {
                        slot.elements.extend(list.range(row).map(|element| element as u32));
                        slot.rows.extend(list.range(row).map(|_| row as u32));
                    });
                    let child = list.child();
                    let encoding = hypostyle_functions::column::Encoding::Dictionary {
                        indices: &slot.elements,
                        validity: None,
                    };
                    let elements =
                        hypostyle_functions::column::View { length: slot.elements.len(), encoding, ..*child };
                    let results = slot
                        .results
                        .get_or_insert_with(|| hypostyle_functions::column::Output::new(element.clone()));
                    if *results.data_type() != element {
                        *results = hypostyle_functions::column::Output::new(element.clone());
                    }
                    lambdas[0].call(&[elements], &slot.rows, results)?;
                    let view = results.view(scratch_bump(&mut slot.bump));
                    let mut next = 0;
                    rows.for_each(|row| {
                        let count = list.length(row);
                        let failed = (next..next + count).find(|&element| results.has_failed(element));
                        if let Some(element) = failed {
                            let error = results.errors().iter().find(|(row, _)| *row as usize == element);
                            let error = error.map(|(_, error)| error.clone());
                            output.fail(row, || error.unwrap_or_else(|| Error::internal("lost")));
                        } else {
                            let mut writer = output.list();
                            let start = writer.start();
                            writer.child().push_range(&view, next..next + count);
                            writer.finish(row, start);
                        }
                        next += count;
                    });
                    Ok(())
                },
            ))
        },
    );
    registry.register_scalar(transform);
    let sum = ScalarFunction::new("list_sum", "test", "").overload(
        [exact("list", Type::list(Type::Int64))],
        |_| {
            Ok(Bound::strict(Type::Int64, |arguments, rows, output, _| {
                let list = arguments[0].list();
                let elements = list.child().fixed::<i64>();
                let values = output.fixed::<i64>();
                rows.for_each(|row| {
                    let valid = list.range(row).filter(|&element| list.child().is_valid(element));
                    values[row] = valid.map(|element| elements.get(element)).fold(0, i64::wrapping_add);
                });
                Ok(())
            }))
        },
    );
    registry.register_scalar(sum);
    let first = ScalarFunction::new("embedding_sum", "test", "").overload(
        [exact("embedding", Type::fixed_list(Type::Float32, 3))],
        |_| {
            Ok(Bound::strict(Type::Float64, |arguments, rows, output, _| {
                let list = arguments[0].list();
                let elements = list.child().fixed::<f32>();
                let values = output.fixed::<f64>();
                rows.for_each(|row| {
                    values[row] = list.range(row).map(|element| f64::from(elements.get(element))).sum();
                });
                Ok(())
            }))
        },
    );
    registry.register_scalar(first);
}

#[derive(Default)]
struct TransformSlot {
    elements: Vec<u32>,
    rows: Vec<u32>,
    results: Option<hypostyle_functions::column::Output>,
    bump: bumpalo::Bump,
}

fn scratch_bump(bump: &mut bumpalo::Bump) -> &bumpalo::Bump {
    bump.reset();
    bump
}

pub fn call(function: &str, arguments: Vec<Expression>, data_type: Type) -> Expression {
    Expression::call(function, arguments, data_type)
}

pub fn int(value: i64) -> Expression {
    Expression::Literal(Literal::new(Value::Int64(value)))
}

pub fn float(value: f64) -> Expression {
    Expression::Literal(Literal::new(Value::float64(value)))
}

pub fn text_of(value: &str) -> Expression {
    Expression::Literal(Literal::new(Value::text(value)))
}

pub fn null(data_type: Type) -> Expression {
    Expression::Literal(Literal::null(data_type))
}

pub fn case(branches: Vec<(Expression, Expression)>, otherwise: Option<Expression>) -> Expression {
    let data_type = branches[0].1.data_type();
    Expression::Case { branches, otherwise: otherwise.map(Box::new), data_type }
}
