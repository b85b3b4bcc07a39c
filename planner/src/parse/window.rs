//! The parser's windows into ours.

use sqlparser::ast::{self, NamedWindowDefinition, NamedWindowExpr, WindowType};

use crate::error::{Error, Result};
use crate::parse::Notes;
use crate::parse::adjust::exclusion;
use crate::parse::expression::{convert, convert_all, name_of, order_terms};
use crate::span::Span;
use crate::tree::{Frame, FrameBound, FrameExclusion, FrameUnits, NamedWindow, Over, WindowSpec};

/// What stands behind OVER; `span` is the place of the function.
pub(super) fn over(over: WindowType, span: Span, notes: &mut Notes) -> Result<Over> {
    match over {
        WindowType::NamedWindow(name) => Ok(Over::Named(name_of(name))),
        WindowType::WindowSpec(spec) => window(spec, span, notes).map(Over::Window),
    }
}

/// The windows of a WINDOW clause.
pub(super) fn named(
    definitions: Vec<NamedWindowDefinition>,
    span: Span,
    notes: &mut Notes,
) -> Result<Vec<NamedWindow>> {
    let mut windows: Vec<NamedWindow> = Vec::with_capacity(definitions.len());
    for NamedWindowDefinition(name, definition) in definitions {
        let name = name_of(name);
        if windows.iter().any(|other| other.name.is(&name.text)) {
            let message = format!("window \"{}\" is there twice", name.text);
            return Err(Error::syntax(message, name.span));
        }
        let window = match definition {
            NamedWindowExpr::WindowSpec(spec) => window(spec, span.union(name.span), notes)?,
            NamedWindowExpr::NamedWindow(other) => {
                WindowSpec { base: Some(name_of(other)), ..WindowSpec::default() }
            }
        };
        windows.push(NamedWindow { name, window });
    }
    Ok(windows)
}

fn window(spec: ast::WindowSpec, span: Span, notes: &mut Notes) -> Result<WindowSpec> {
    let mut partition_by = spec.partition_by;
    let mut exclude = FrameExclusion::NoOthers;
    if let Some(ast::Expr::Identifier(first)) = partition_by.first()
        && let Some(excluded) = exclusion(&first.value)
    {
        exclude = excluded;
        partition_by.remove(0);
    }
    let frame = spec.window_frame.map(|frame| convert_frame(frame, exclude, span, notes)).transpose()?;
    if frame.is_none() && exclude != FrameExclusion::NoOthers {
        return Err(Error::syntax("EXCLUDE stands behind the bounds of a frame", span));
    }
    let order_by = order_terms(spec.order_by, notes)?;
    if let Some(term) = order_by.iter().find(|term| is_all(&term.expression)) {
        return Err(Error::syntax("ORDER BY ALL cannot stand in a window", term.expression.span));
    }
    Ok(WindowSpec {
        base: spec.window_name.map(name_of),
        partition_by: convert_all(partition_by, notes)?,
        order_by,
        frame,
    })
}

/// `ALL`, which is no name of a column without quotes.
fn is_all(expression: &crate::tree::Expression) -> bool {
    match &expression.kind {
        crate::tree::ExpressionKind::Column(names) => {
            matches!(names.as_slice(), [name] if !name.quoted && name.is("all"))
        }
        _ => false,
    }
}

fn convert_frame(
    frame: ast::WindowFrame,
    exclude: FrameExclusion,
    span: Span,
    notes: &mut Notes,
) -> Result<Frame> {
    let units = match frame.units {
        ast::WindowFrameUnits::Rows => FrameUnits::Rows,
        ast::WindowFrameUnits::Range => FrameUnits::Range,
        ast::WindowFrameUnits::Groups => FrameUnits::Groups,
    };
    let start = convert_bound(frame.start_bound, notes)?;
    let end = frame.end_bound.map_or(Ok(FrameBound::CurrentRow), |bound| convert_bound(bound, notes))?;
    let problem = match (&start, &end) {
        (FrameBound::Following(None), _) => Some("a frame cannot start at UNBOUNDED FOLLOWING"),
        (_, FrameBound::Preceding(None)) => Some("a frame cannot end at UNBOUNDED PRECEDING"),
        (FrameBound::CurrentRow, FrameBound::Preceding(_)) => {
            Some("a frame that starts at the current row cannot end before it")
        }
        (FrameBound::Following(_), FrameBound::Preceding(_) | FrameBound::CurrentRow) => {
            Some("a frame that starts after the current row cannot end at or before it")
        }
        _ => None,
    };
    match problem {
        Some(problem) => Err(Error::syntax(problem, span)),
        None => Ok(Frame { units, start, end, exclude }),
    }
}

fn convert_bound(bound: ast::WindowFrameBound, notes: &mut Notes) -> Result<FrameBound> {
    let value = |value: Option<Box<ast::Expr>>, notes: &mut Notes| {
        value.map(|value| convert(*value, notes).map(Box::new)).transpose()
    };
    Ok(match bound {
        ast::WindowFrameBound::CurrentRow => FrameBound::CurrentRow,
        ast::WindowFrameBound::Preceding(offset) => FrameBound::Preceding(value(offset, notes)?),
        ast::WindowFrameBound::Following(offset) => FrameBound::Following(value(offset, notes)?),
    })
}
