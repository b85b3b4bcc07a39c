//! Values that depend on the session's time zone, and the tables of versions that values depend on.

use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_engine::plan::Expression;
use hypostyle_functions::Type;

use crate::transform::Fitted;

/// Families of functions that ask what Unicode says of characters.
const OF_CHARACTERS: [&str; 3] = ["regex", "text", "token"];

impl Fitted {
    /// Why an expression of this transform has no value in a session of this zone: it takes instants apart or shows them, and
    /// was fitted in another zone. Fits that recorded no zone are taken as they are.
    pub fn zone_problem(&self, expression: &Expression, zone: &str) -> Option<String> {
        let fitted_in = self.provenance.time_zone.as_str();
        let mut parts = self.with_windows(expression);
        if fitted_in.is_empty() || fitted_in.eq_ignore_ascii_case(zone) || !parts.any(reads_instants) {
            return None;
        }
        Some(format!(
            "reads TIMESTAMP WITH TIME ZONE and was fitted in the time zone {fitted_in}; the session has {zone}: SET time_zone = '{fitted_in}'"
        ))
    }

    /// The first output that has no value in a session of this zone, and why.
    pub fn output_of_other_zone(&self, zone: &str) -> Option<(&str, String)> {
        self.outputs.iter().find_map(|output| {
            let parts = [&output.expression].into_iter().chain(&output.training);
            let problem = parts.into_iter().find_map(|part| self.zone_problem(part, zone));
            problem.map(|problem| (output.name.as_str(), problem))
        })
    }

    /// Versions of the tables that functions are built with, of those that the outputs depend on.
    pub fn tables(&self, context: &Arc<Context>) -> Vec<(String, String)> {
        let all = || {
            let parts = self
                .outputs
                .iter()
                .flat_map(|output| [&output.expression].into_iter().chain(&output.training));
            parts.flat_map(|part| self.with_windows(part))
        };
        let mut of_characters = false;
        for expression in all() {
            expression.walk(&mut |part| {
                if let Expression::Call { function, .. } = part
                    && let Some(function) = context.registry.scalar(function)
                {
                    of_characters |= OF_CHARACTERS.contains(&function.documentation.category.as_str());
                }
            });
        }
        let of_zones = all().any(reads_instants);
        let is_read = |table: &str| match table {
            "time zones" => of_zones,
            _ => of_characters,
        };
        let tables = hypostyle_functions::versions::tables().into_iter();
        tables
            .filter(|(table, _)| is_read(table))
            .map(|(table, version)| (table.to_owned(), version))
            .collect()
    }

    /// An expression, and those of the windows that it reads.
    fn with_windows<'f>(&'f self, expression: &'f Expression) -> impl Iterator<Item = &'f Expression> {
        let windows = self.windows_of(expression).flat_map(|window| window.window.expressions());
        std::iter::once(expression).chain(windows)
    }
}

fn reads_instants(expression: &Expression) -> bool {
    let mut found = false;
    expression.walk(&mut |part| found |= holds_instants(&part.data_type()));
    found
}

fn holds_instants(data_type: &Type) -> bool {
    match data_type {
        Type::TimestampTz => true,
        Type::Struct(fields) => fields.iter().any(|field| holds_instants(&field.data_type)),
        Type::Map(key, value) => holds_instants(key) || holds_instants(value),
        other => other.element().is_some_and(holds_instants),
    }
}
