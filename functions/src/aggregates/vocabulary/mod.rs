//! `vocabulary`: the distinct values of a column in one order, counted in a table of texts or integers alone.

mod counts;
mod dictionary;
mod entries;
mod order;
mod radix;
mod tally;

use std::any::Any;

use counts::Values;
use dictionary::DictionaryCounts;
use tally::Tally;

use crate::aggregate::{Accumulator, AggregateFunction, BoundAggregate};
use crate::column::{Column, Data, Encoding, Output, Rows, View};
use crate::error::{Error, Result};
use crate::scalar::Arguments;
use crate::signature::exact;
use crate::types::Type;
use crate::value::{Literal, Value};

pub(super) fn functions() -> Vec<AggregateFunction> {
    let function = AggregateFunction::new(
        "vocabulary",
        "aggregate",
        "The distinct values of the group as a list, the most frequent first and of equally frequent ones the lesser.",
    );
    let function = [Type::Text, Type::Int64].into_iter().fold(function, |function, element| {
        let parameters = [
            exact("value", element),
            exact("ordered_by", Type::Text).or(Literal::new(Value::from("frequency"))),
            exact("min_count", Type::Int64).or(Literal::new(Value::Int64(1))),
            exact("top_k", Type::Int64).or(Literal::null(Type::Int64)),
        ];
        function.overload(parameters, bind)
    });
    vec![
        function
            .note("ordered_by => 'value' sorts by value: numbers by size, texts by bytes. Values that occur less than min_count times are left out, and of the others the top_k most frequent are kept; all three are constants.")
            .note("Nulls are skipped; a group without values gives an empty list. The distinct values are held in memory.")
            .example("vocabulary('a')", "[a]"),
    ]
}

/// What becomes of the counts.
#[derive(Debug, Clone, Copy)]
struct Choice {
    by_value: bool,
    min_count: u64,
    top_k: Option<usize>,
}

fn bind(arguments: &Arguments<'_>) -> Result<BoundAggregate> {
    let refused = |position, problem: String| Error::argument(arguments.function, position, problem);
    let by_value = match arguments.constant_text(1)? {
        "frequency" => false,
        "value" => true,
        other => return Err(refused(2, format!("is \"{other}\"; expected 'frequency' or 'value'"))),
    };
    let positive = |position: usize| {
        let given = arguments.constant(position)?;
        let count = given.as_i64().and_then(|count| usize::try_from(count).ok()).filter(|count| *count > 0);
        count.ok_or_else(|| refused(position + 1, "is no number of at least 1".into()))
    };
    let min_count = positive(2)? as u64;
    let top_k = if arguments.constant(3)?.is_null() { None } else { Some(positive(3)?) };
    let choice = Choice { by_value, min_count, top_k };
    let element = arguments.types[0].clone();
    let states = vec![Type::list(element.clone()), Type::list(Type::Int64)];
    let is_text = element == Type::Text;
    let data_type = element.clone();
    let make = move || Vocabularies {
        groups: Vec::new(),
        choice,
        is_text,
        data_type: data_type.clone(),
        items: Vec::new(),
        seen: Vec::new(),
        dictionary: DictionaryCounts::default(),
    };
    Ok(BoundAggregate::null_aware(Type::list(element), states, make))
}

/// The vocabularies of all groups.
struct Vocabularies {
    groups: Vec<Tally>,
    choice: Choice,
    is_text: bool,
    data_type: Type,
    /// Values of the batch, by their place, and how often each is met.
    items: Vec<(u32, u32)>,
    /// How often each value of a dictionary was met.
    seen: Vec<u32>,
    /// What was met of a dictionary that several batches of the one group share.
    dictionary: DictionaryCounts,
}

impl Vocabularies {
    /// Adds rows of a column to one group.
    fn add_to(&mut self, group: usize, view: &View<'_>, rows: Rows<'_>) -> Result<()> {
        self.items.clear();
        match view.encoding {
            Encoding::Constant => {
                if view.length > 0 && !rows.is_empty() && view.is_valid(0) {
                    let count =
                        u32::try_from(rows.count()).map_err(|_| Error::internal("a batch of 2^32 rows"))?;
                    self.items.push((0, count));
                }
            }
            Encoding::Dictionary { indices, .. } => {
                let values = values_of(view);
                self.seen.resize(values.max(self.seen.len()), 0);
                let (items, seen) = (&mut self.items, &mut self.seen);
                each_valid(view, rows, |row| {
                    let index = indices[row];
                    let count = &mut seen[index as usize];
                    if *count == 0 {
                        items.push((index, 0));
                    }
                    *count += 1;
                });
                items
                    .iter_mut()
                    .for_each(|(index, count)| *count = std::mem::take(&mut seen[*index as usize]));
            }
            Encoding::Flat => {
                let items = &mut self.items;
                each_valid(view, rows, |row| items.push((row as u32, 1)));
            }
        }
        // Of many groups each has a table: entries would take memory for each.
        let is_distinct = !matches!(view.encoding, Encoding::Flat) && self.groups.len() == 1;
        let tally =
            self.groups.get_mut(group).ok_or_else(|| Error::internal("a group that was not opened"))?;
        match is_distinct {
            true => tally.add_distinct(Values::of(view)?, &self.items, self.is_text),
            false => tally.add(Values::of(view)?, &self.items, self.is_text),
        }
    }

    /// Adds what was counted by place in a dictionary, which was while there was the first group alone.
    fn flush(&mut self) -> Result<()> {
        match self.groups.first_mut() {
            Some(tally) => self.dictionary.flush(&self.data_type, tally),
            None => Ok(()),
        }
    }
}

/// Number of values of a dictionary.
fn values_of(view: &View<'_>) -> usize {
    match view.data {
        Data::Bytes(texts) => texts.views.len(),
        Data::Int64(integers) => integers.len(),
        _ => 0,
    }
}

/// Calls `each` with the rows that hold a value; a word of validity at a time where one says it all.
fn each_valid(view: &View<'_>, rows: Rows<'_>, mut each: impl FnMut(usize)) {
    let bits = view.row_validity();
    if bits.is_none() && view.may_be_null() {
        return rows.for_each(|row| {
            if view.is_valid(row) {
                each(row)
            }
        });
    }
    match (bits, rows) {
        (None, rows) => rows.for_each(each),
        (Some(bits), Rows::All(count)) => {
            let bits = bits.slice(0, count);
            for index in 0..bits.words() {
                let (first, mut word) = (index * 64, bits.word(index));
                if word == u64::MAX {
                    (first..first + 64).for_each(&mut each);
                    continue;
                }
                while word != 0 {
                    each(first + word.trailing_zeros() as usize);
                    word &= word - 1;
                }
            }
        }
        (Some(bits), rows) => rows.for_each(|row| {
            if bits.get(row) {
                each(row)
            }
        }),
    }
}

impl Accumulator for Vocabularies {
    fn resize(&mut self, groups: usize) {
        self.groups.resize_with(groups, Tally::default);
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], _: u64) -> Result<()> {
        if self.groups.len() == 1 {
            return self.add_to(0, &arguments[0], rows);
        }
        rows.iter().try_for_each(|row| {
            self.add_to(groups[row] as usize, &arguments[0], Rows::Selected(&[row as u32]))
        })
    }

    fn update_columns(
        &mut self,
        columns: &[&Column],
        arguments: &[View<'_>],
        rows: Rows<'_>,
        groups: &[u32],
        ordinal: u64,
    ) -> Result<()> {
        if let ([tally], Some(column)) = (&mut self.groups[..], columns.first())
            && self.dictionary.count(column, &arguments[0], rows, tally)?
        {
            return Ok(());
        }
        self.update(arguments, rows, groups, ordinal)
    }

    fn absorb(&mut self, other: &mut dyn Accumulator) -> Result<bool> {
        let Some(other) = (other as &mut dyn Any).downcast_mut::<Self>() else { return Ok(false) };
        self.flush()?;
        other.flush()?;
        for (own, held) in self.groups.iter_mut().zip(&mut other.groups) {
            own.absorb(std::mem::take(held), self.is_text)?;
        }
        Ok(true)
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let (lists, numbers) = (states[0].list(), states[1].list());
        let counts = numbers.child().fixed::<i64>();
        let values = Values::of(lists.child())?;
        for (row, &group) in groups.iter().enumerate() {
            let (places, own) = (lists.range(row), numbers.range(row));
            let damaged = || Error::user("the stored state of an aggregate is damaged");
            if places.len() != own.len() || !matches!(lists.child().encoding, Encoding::Flat) {
                return Err(damaged());
            }
            let held = self.groups.get_mut(group as usize).ok_or_else(damaged)?;
            let mut items = Vec::with_capacity(places.len());
            for (place, at) in places.zip(own) {
                let place = u32::try_from(place).map_err(|_| damaged())?;
                items.push((place, u64::try_from(counts.get(at)).map_err(|_| damaged())?));
            }
            held.table(self.is_text).add_counted(values, &items)?;
        }
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        self.flush()?;
        let [keys, counts] = output else {
            return Err(Error::internal("a vocabulary has two columns of state"));
        };
        for (row, &group) in groups.iter().enumerate() {
            let held = self.groups[group as usize].table(self.is_text);
            let places: Vec<u32> = (0..held.keys.len() as u32).collect();
            held.write(&places, keys, row);
            let mut list = counts.list();
            let start = list.child().grow(places.len());
            let numbers = &mut list.child().fixed::<i64>()[start..];
            numbers.iter_mut().zip(&held.counts).for_each(|(to, count)| *to = *count as i64);
            list.finish(row, start);
        }
        keys.check_capacity()?;
        counts.check_capacity()
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        self.flush()?;
        for (row, &group) in groups.iter().enumerate() {
            self.groups[group as usize].write(self.choice, self.is_text, output, row);
        }
        output.check_capacity()
    }

    fn memory_bytes(&self) -> usize {
        self.groups.iter().map(Tally::memory_bytes).sum::<usize>()
            + self.groups.capacity() * size_of::<Tally>()
            + self.items.capacity() * 8
            + self.seen.capacity() * 4
            + self.dictionary.memory_bytes()
    }
}
