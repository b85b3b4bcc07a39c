//! The eight tables of TPC-H, row by row as the benchmark's own generator makes them.

use arrow::array::RecordBatchReader;
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator, PartSuppGenerator,
    RegionGenerator, SupplierGenerator,
};
use tpchgen_arrow::{
    CustomerArrow, LineItemArrow, NationArrow, OrderArrow, PartArrow, PartSuppArrow, RegionArrow,
    SupplierArrow,
};

use super::table::{BATCH_ROWS, PART_ROWS, Table};

/// The tables at a scale factor; 1 is about 1 GB of text.
pub(crate) fn tables(scale: f64) -> Vec<Table> {
    macro_rules! table {
        ($name:literal, $generator:ident, $batches:ident, $rows:expr, $rows_per_unit:expr) => {
            table($name, scaled(scale, $rows), $rows_per_unit, move |part, parts| {
                $batches::new($generator::new(scale, part, parts)).with_batch_size(BATCH_ROWS as usize)
            })
        };
    }
    vec![
        table("region", 5, 1, move |part, parts| RegionArrow::new(RegionGenerator::new(scale, part, parts))),
        table("nation", 25, 1, move |part, parts| NationArrow::new(NationGenerator::new(scale, part, parts))),
        table!("supplier", SupplierGenerator, SupplierArrow, 10_000.0, 1),
        table!("customer", CustomerGenerator, CustomerArrow, 150_000.0, 1),
        table!("part", PartGenerator, PartArrow, 200_000.0, 1),
        table!("partsupp", PartSuppGenerator, PartSuppArrow, 200_000.0, 4),
        table!("orders", OrderGenerator, OrderArrow, 1_500_000.0, 1),
        table!("lineitem", LineItemGenerator, LineItemArrow, 1_500_000.0, 4),
    ]
}

fn scaled(scale: f64, rows: f64) -> u64 {
    (scale * rows) as u64
}

/// A table of `units` independent units, each of `rows_per_unit` rows on average: an order makes its lines, a
/// part its suppliers.
fn table<B>(
    name: &'static str,
    units: u64,
    rows_per_unit: u64,
    batches: impl Fn(i32, i32) -> B + Send + Sync + 'static,
) -> Table
where
    B: RecordBatchReader + 'static,
{
    let parts = (units * rows_per_unit).div_ceil(PART_ROWS).clamp(1, i32::MAX as u64);
    let schema = batches(1, 1).schema();
    Table {
        name,
        schema,
        rows: units * rows_per_unit,
        parts,
        part: Box::new(move |part| Box::new(batches(part as i32 + 1, parts as i32))),
    }
}
