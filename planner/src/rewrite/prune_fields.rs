//! Reads of nested columns only the fields that are asked for: `s.a` and `l[1].b.c` leave the other fields in the file.
//!
//! From the result down it is gathered what is asked of each column: all of it, or some fields of its structs (those of its
//! elements, of a list). Columns of tables that can read by the field then get a type with these fields alone, and from
//! the tables up the types of all that is made of them follow.

use std::collections::{BTreeMap, HashMap};

use hypostyle_engine::plan::Expression;
use hypostyle_functions::{Literal, Type, Value};

use crate::logical::{Column, Relation};

/// What is asked of a value.
#[derive(Debug, Clone, PartialEq)]
enum Asked {
    /// All of it.
    All,
    /// Some fields of a struct, by position.
    Fields(BTreeMap<usize, Asked>),
    /// This of each element of a list.
    Elements(Box<Asked>),
}

/// What is asked of columns, by number. Of one that is not in here nothing is asked.
type Uses = HashMap<usize, Asked>;

/// Rewrites a plan whose result is `result`.
pub fn rewrite(relation: &mut Relation, result: &[Column]) {
    if !has_candidates(relation) {
        return;
    }
    let mut uses = Uses::new();
    ask_all(result, &mut uses);
    gather(relation, &mut uses);
    narrow(relation, &uses);
}

/// True if a table that reads by the field gives a column with structs inside.
fn has_candidates(relation: &Relation) -> bool {
    let own = match relation {
        Relation::Scan(scan) => {
            let mut columns = scan.columns.iter().chain(&scan.filter_columns);
            scan.provider.reads_fields() && columns.any(|(column, _)| has_fields(&column.data_type))
        }
        _ => false,
    };
    own || stacker::maybe_grow(64 << 10, 1 << 20, || relation.inputs().into_iter().any(has_candidates))
}

fn has_fields(data_type: &Type) -> bool {
    match data_type {
        Type::Struct(_) => true,
        Type::List(element) | Type::FixedList(element, _) => has_fields(element),
        _ => false,
    }
}

impl Asked {
    fn merge(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::Fields(known), Self::Fields(more)) => {
                for (position, asked) in more {
                    match known.get_mut(&position) {
                        Some(known) => known.merge(asked),
                        None => {
                            known.insert(position, asked);
                        }
                    }
                }
            }
            (Self::Elements(known), Self::Elements(more)) => known.merge(*more),
            _ => *self = Self::All,
        }
    }

    /// The part of a type that is asked for.
    fn part_of(&self, data_type: &Type) -> Type {
        match (self, data_type) {
            (Self::Fields(asked), Type::Struct(fields)) => {
                let kept = asked.iter().filter_map(|(position, asked)| {
                    let mut field = fields.get(*position)?.clone();
                    field.data_type = asked.part_of(&field.data_type);
                    Some(field)
                });
                Type::Struct(kept.collect())
            }
            (Self::Elements(asked), Type::List(element)) => Type::list(asked.part_of(element)),
            (Self::Elements(asked), Type::FixedList(element, size)) => {
                Type::fixed_list(asked.part_of(element), *size)
            }
            _ => data_type.clone(),
        }
    }
}

fn ask(id: usize, asked: Asked, uses: &mut Uses) {
    match uses.get_mut(&id) {
        Some(known) => known.merge(asked),
        None => {
            uses.insert(id, asked);
        }
    }
}

fn ask_all(columns: &[Column], uses: &mut Uses) {
    columns.iter().for_each(|column| ask(column.id, Asked::All, uses));
}

/// Notes what a relation and those below it ask for. All relations above were asked before.
fn gather(relation: &Relation, uses: &mut Uses) {
    match relation {
        Relation::Project { columns, .. } => {
            for computed in columns {
                let asked = uses.get(&computed.column.id).cloned().unwrap_or(Asked::All);
                demand(&computed.expression, asked, uses);
            }
        }
        Relation::Unnest { lists, .. } => {
            for computed in lists {
                let asked = uses.get(&computed.column.id).cloned().unwrap_or(Asked::All);
                demand(&computed.expression, Asked::Elements(Box::new(asked)), uses);
            }
        }
        other => other.expressions().into_iter().for_each(|part| demand(part, Asked::All, uses)),
    }
    // Relations that pair columns by position, or hold them for others, take them whole.
    match relation {
        Relation::Union { inputs, .. } => inputs.iter().for_each(|input| ask_all(&input.columns(), uses)),
        Relation::Recursive { initial, step, .. } => {
            ask_all(&initial.columns(), uses);
            ask_all(&step.columns(), uses);
        }
        Relation::Shared { definition, .. } => ask_all(&definition.columns(), uses),
        Relation::ComputedLimit { amounts, .. } => ask_all(&amounts.columns(), uses),
        Relation::Write { input, .. } => ask_all(&input.columns(), uses),
        _ => {}
    }
    stacker::maybe_grow(64 << 10, 1 << 20, || {
        relation.inputs().into_iter().for_each(|input| gather(input, uses));
    });
}

/// Notes what an expression of which `asked` is asked asks of columns.
fn demand(expression: &Expression, asked: Asked, uses: &mut Uses) {
    if let Expression::Column { index, .. } = expression {
        return ask(*index, asked, uses);
    }
    stacker::maybe_grow(64 << 10, 1 << 20, || match step(expression) {
        Some(Step::Field(structure, position)) => {
            demand(structure, Asked::Fields(BTreeMap::from([(position, asked)])), uses);
        }
        Some(Step::Element(list, index)) => {
            demand(list, Asked::Elements(Box::new(asked)), uses);
            demand(index, Asked::All, uses);
        }
        None => {
            expression.children().into_iter().for_each(|child| demand(child, Asked::All, uses));
        }
    });
}

/// An expression that takes a part out of another one.
enum Step<'e> {
    /// The field at a position of a struct.
    Field(&'e Expression, usize),
    /// An element of a list, and which.
    Element(&'e Expression, &'e Expression),
}

fn step(expression: &Expression) -> Option<Step<'_>> {
    let Expression::Call { function, arguments, .. } = expression else { return None };
    let [inner, argument] = arguments.as_slice() else { return None };
    match (function.as_str(), inner.data_type(), argument) {
        (
            "struct_extract" | "array_extract",
            Type::Struct(fields),
            Expression::Literal(Literal { value: Value::Text(name), .. }),
        ) => {
            let position = fields.iter().position(|field| field.name.eq_ignore_ascii_case(name))?;
            Some(Step::Field(inner, position))
        }
        ("array_extract" | "list_extract", Type::List(_) | Type::FixedList(..), _) => {
            Some(Step::Element(inner, argument))
        }
        _ => None,
    }
}

/// Narrows the columns of scans, and from there up the types of all that is made of them.
fn narrow(relation: &mut Relation, uses: &Uses) {
    let mut changed: HashMap<usize, Type> = HashMap::new();
    relation.walk_mut(&mut |relation| {
        if let Relation::Scan(scan) = relation
            && scan.provider.reads_fields()
        {
            for (column, _) in scan.columns.iter_mut().chain(&mut scan.filter_columns) {
                let Some(asked) = uses.get(&column.id).filter(|asked| **asked != Asked::All) else {
                    continue;
                };
                let part = asked.part_of(&column.data_type);
                if part != column.data_type {
                    changed.insert(column.id, part.clone());
                    column.data_type = part;
                }
            }
        }
        if changed.is_empty() {
            return;
        }
        relation.expressions_mut().into_iter().for_each(|expression| retype(expression, &changed));
        let takes_elements = matches!(relation, Relation::Unnest { .. });
        let computed = match relation {
            Relation::Project { columns, .. } => columns,
            Relation::Unnest { lists, .. } => lists,
            _ => return,
        };
        for one in computed {
            let made = one.expression.data_type();
            let made = if takes_elements { element_of(made) } else { made };
            if made != one.column.data_type && has_fields(&one.column.data_type) {
                changed.insert(one.column.id, made.clone());
                one.column.data_type = made;
            }
        }
    });
}

fn element_of(list: Type) -> Type {
    match list {
        Type::List(element) | Type::FixedList(element, _) => *element,
        other => other,
    }
}

/// Gives the columns of an expression, and the parts that are taken out of them, their new types.
fn retype(expression: &mut Expression, changed: &HashMap<usize, Type>) {
    if let Expression::Column { index, data_type } = expression {
        if let Some(part) = changed.get(index) {
            *data_type = part.clone();
        }
        return;
    }
    stacker::maybe_grow(64 << 10, 1 << 20, || {
        expression.children_mut().into_iter().for_each(|child| retype(child, changed));
    });
    let part = match step(expression) {
        Some(Step::Field(structure, position)) => match structure.data_type() {
            Type::Struct(fields) => fields.get(position).map(|field| field.data_type.clone()),
            _ => None,
        },
        Some(Step::Element(list, _)) => Some(element_of(list.data_type())),
        None => None,
    };
    if let (Some(part), Expression::Call { data_type, .. }) = (part, expression)
        && has_fields(&part)
    {
        *data_type = part;
    }
}
