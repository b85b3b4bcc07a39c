//! Behaviour of users in a shop: sessions of views, clicks, searches and purchases, in order of time.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, FixedSizeListArray, Float32Array, Float64Array, Int32Array, Int64Array, Int64Builder,
    ListBuilder, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

use super::random::{Stream, mix};
use super::table::Table;

/// 2024-01-01 00:00:00 UTC in microseconds.
const START: i64 = 1_704_067_200_000_000;
/// Distance of one block of rows from the next, in microseconds.
const BLOCK_MICROSECONDS: i64 = 4_000_000;
/// Rows that are cut into sessions together; a session never reaches over the end of its block.
const BLOCK_ROWS: u64 = 16;
/// Chance that an event ends its session.
const SESSION_ENDS: f64 = 0.2;
/// Items with alike embeddings and one category.
const CLUSTERS: u64 = 64;

const DEVICES: [&str; 4] = ["phone", "desktop", "tablet", "tv"];
const COUNTRIES: [&str; 12] = ["US", "CN", "IN", "BR", "DE", "JP", "FR", "GB", "ID", "MX", "NG", "KR"];
const WORDS: [&str; 32] = [
    "shoes",
    "red",
    "running",
    "men",
    "women",
    "cheap",
    "waterproof",
    "jacket",
    "phone",
    "case",
    "wireless",
    "headphones",
    "kids",
    "bike",
    "laptop",
    "stand",
    "coffee",
    "maker",
    "organic",
    "tea",
    "größe",
    "vélo",
    "niño",
    "手机",
    "充电器",
    "靴",
    "куртка",
    "हेडफोन",
    "gaming",
    "chair",
    "size 42",
    "under $50",
];

/// Size of the world behind the events.
#[derive(Clone, Copy)]
pub(crate) struct World {
    /// Distinct users.
    pub(crate) users: u64,
    /// Distinct items.
    pub(crate) items: u64,
    /// Numbers in an item's embedding.
    pub(crate) dimension: u16,
}

/// The table `events` with this many rows.
pub(crate) fn table(rows: u64, world: World, seed: u64) -> Table {
    let schema = schema(world.dimension);
    let events = Events::new(world, seed);
    Table::by_rows("events", schema.clone(), rows, move |range| events.batch(&schema, range))
}

fn element(data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new("item", data_type, true))
}

fn schema(dimension: u16) -> SchemaRef {
    let ids = || DataType::List(element(DataType::Int64));
    let embedding = DataType::FixedSizeList(element(DataType::Float32), i32::from(dimension));
    Arc::new(Schema::new(vec![
        Field::new("event_id", DataType::Int64, false),
        Field::new("user_id", DataType::Int64, false),
        Field::new("session_id", DataType::Int64, false),
        Field::new("ts", DataType::Timestamp(TimeUnit::Microsecond, None), false),
        Field::new("event_type", DataType::Utf8, false),
        Field::new("item_id", DataType::Int64, true),
        Field::new("price", DataType::Float64, true),
        Field::new("dwell_ms", DataType::Int32, true),
        Field::new("device", DataType::Utf8, false),
        Field::new("country", DataType::Utf8, true),
        Field::new("query", DataType::Utf8, true),
        Field::new("category_ids", ids(), true),
        Field::new("recent_item_ids", ids(), true),
        Field::new("embedding", embedding, true),
    ]))
}

/// What happened; only a search has a query, and all else has an item.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    View,
    Click,
    Search,
    Cart,
    Purchase,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Click => "click",
            Self::Search => "search",
            Self::Cart => "add_to_cart",
            Self::Purchase => "purchase",
        }
    }
}

/// The random sequences behind the columns.
#[derive(Clone)]
struct Events {
    world: World,
    ends: Stream,
    user: Stream,
    time: Stream,
    kind: Stream,
    item: Stream,
    dwell: Stream,
    query: Stream,
    recent: Stream,
    traits: Stream,
}

impl Events {
    fn new(world: World, seed: u64) -> Self {
        let stream = |name: &str| Stream::new(seed, name);
        Self {
            world,
            ends: stream("events.ends"),
            user: stream("events.user"),
            time: stream("events.time"),
            kind: stream("events.kind"),
            item: stream("events.item"),
            dwell: stream("events.dwell"),
            query: stream("events.query"),
            recent: stream("events.recent"),
            traits: stream("events.traits"),
        }
    }

    fn batch(&self, schema: &SchemaRef, rows: Range<u64>) -> Result<RecordBatch, ArrowError> {
        let all = || rows.clone();
        let items: Vec<Option<u64>> = all().map(|row| self.item(row)).collect();
        let country = |row| {
            let user = self.user(row);
            let rank = self.traits.zipf(user, COUNTRIES.len() as u64);
            (!self.traits.inner(1).chance(user, 0.02)).then(|| COUNTRIES[rank as usize])
        };
        let device =
            |row| DEVICES[self.traits.inner(2).zipf(self.session(row), DEVICES.len() as u64) as usize];
        let price = |item: &Option<u64>| item.and_then(|item| self.price(item));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(all().map(|row| row as i64))),
            Arc::new(Int64Array::from_iter_values(all().map(|row| self.user(row) as i64))),
            Arc::new(Int64Array::from_iter_values(all().map(|row| self.session(row) as i64))),
            Arc::new(TimestampMicrosecondArray::from_iter_values(all().map(|row| self.time(row)))),
            Arc::new(StringArray::from_iter_values(all().map(|row| self.kind(row).name()))),
            Arc::new(Int64Array::from_iter(items.iter().map(|item| item.map(|item| item as i64)))),
            Arc::new(Float64Array::from_iter(items.iter().map(price))),
            Arc::new(Int32Array::from_iter(all().map(|row| self.dwell(row)))),
            Arc::new(StringArray::from_iter_values(all().map(device))),
            Arc::new(StringArray::from_iter(all().map(country))),
            Arc::new(StringArray::from_iter(all().map(|row| self.query(row)))),
            self.id_lists(items.iter().map(|item| item.map(|item| self.categories(item)))),
            self.id_lists(all().map(|row| Some(self.recent_items(row)))),
            self.embeddings(schema, &items)?,
        ];
        RecordBatch::try_new(schema.clone(), columns)
    }

    /// A session is named by its first row: the row after the last end before this one, inside the block.
    fn session(&self, row: u64) -> u64 {
        let block = row - row % BLOCK_ROWS;
        let ended = (block..row).rev().find(|before| self.ends.chance(*before, SESSION_ENDS));
        ended.map_or(block, |before| before + 1)
    }

    fn user(&self, row: u64) -> u64 {
        self.user.zipf(self.session(row), self.world.users)
    }

    /// Rows rise in time: each takes its own sixteenth of its block.
    fn time(&self, row: u64) -> i64 {
        let slot = BLOCK_MICROSECONDS / BLOCK_ROWS as i64;
        START + row as i64 * slot + self.time.below(row, slot as u64) as i64
    }

    fn kind(&self, row: u64) -> Kind {
        match self.kind.below(row, 100) {
            0..=59 => Kind::View,
            60..=81 => Kind::Click,
            82..=91 => Kind::Search,
            92..=96 => Kind::Cart,
            _ => Kind::Purchase,
        }
    }

    fn item(&self, row: u64) -> Option<u64> {
        (self.kind(row) != Kind::Search).then(|| self.item.zipf(row, self.world.items))
    }

    /// Prices in cents from 0.99 on, one in fifty unknown.
    fn price(&self, item: u64) -> Option<f64> {
        let known = !self.traits.inner(3).chance(item, 0.02);
        known.then(|| (99 + self.traits.inner(4).long_tail(item, 500_000, 0.93)) as f64 / 100.0)
    }

    fn dwell(&self, row: u64) -> Option<i32> {
        let measured = matches!(self.kind(row), Kind::View | Kind::Click);
        (measured && !self.dwell.inner(0).chance(row, 0.1))
            .then(|| self.dwell.long_tail(row, 1_800_000, 0.92) as i32)
    }

    fn query(&self, row: u64) -> Option<String> {
        (self.kind(row) == Kind::Search).then(|| {
            let words = self.query.inner(row);
            let word = |position| WORDS[words.zipf(position, WORDS.len() as u64) as usize];
            (0..=words.below(100, 4)).map(word).collect::<Vec<_>>().join(" ")
        })
    }

    /// One to three categories, of which the first is the item's cluster.
    fn categories(&self, item: u64) -> Vec<i64> {
        let extra = self.traits.inner(5).inner(item);
        let first = std::iter::once((item % CLUSTERS) as i64);
        first
            .chain((0..extra.below(100, 3)).map(|position| 1_000 + extra.below(position, 500) as i64))
            .collect()
    }

    /// Up to 20 items seen before, often none.
    fn recent_items(&self, row: u64) -> Vec<i64> {
        let recent = self.recent.inner(self.user(row)).inner(row / 64);
        let count = recent.long_tail(100, 20, 0.8);
        (0..count).map(|position| recent.zipf(position, self.world.items) as i64).collect()
    }

    fn id_lists(&self, lists: impl Iterator<Item = Option<Vec<i64>>>) -> ArrayRef {
        let mut builder = ListBuilder::new(Int64Builder::new());
        for list in lists {
            match list {
                Some(ids) => {
                    builder.values().append_slice(&ids);
                    builder.append(true);
                }
                None => builder.append(false),
            }
        }
        Arc::new(builder.finish())
    }

    /// An item's embedding is the middle of its cluster plus noise; no item, no embedding.
    fn embeddings(&self, schema: &SchemaRef, items: &[Option<u64>]) -> Result<ArrayRef, ArrowError> {
        let dimension = u64::from(self.world.dimension);
        let mut values = Vec::with_capacity(items.len() * dimension as usize);
        for item in items {
            let item = item.unwrap_or(0);
            let (middle, noise) = (mix(item % CLUSTERS), mix(!item));
            values.extend((0..dimension).map(|position| {
                let part = |key: u64| (mix(key ^ position) >> 40) as f32 / (1 << 23) as f32 - 1.0;
                part(middle) + 0.25 * part(noise)
            }));
        }
        let present = arrow::buffer::NullBuffer::from_iter(items.iter().map(Option::is_some));
        let DataType::FixedSizeList(field, size) = schema.field_with_name("embedding")?.data_type() else {
            return Err(ArrowError::SchemaError("embeddings are fixed-size lists".into()));
        };
        let values = Arc::new(Float32Array::from(values));
        Ok(Arc::new(FixedSizeListArray::try_new(field.clone(), *size, values, Some(present))?))
    }
}
