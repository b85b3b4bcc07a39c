//! Builds the guide as pages under `target/book`, and follows every link in them.
//!
//! ```text
//! cargo run --manifest-path docs/builder/Cargo.toml
//! ```

mod links;

use std::path::Path;

use anyhow::{Context, Result, bail};
use mdbook_driver::MDBook;

fn main() -> Result<()> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the builder lies in docs")?;
    let book = MDBook::load(guide).context("docs/book.toml and docs/src/SUMMARY.md are read")?;
    book.build().context("the guide is built")?;
    let pages = book.build_dir_for("html");
    let found = links::follow(&pages)?;
    for broken in &found.broken {
        eprintln!("{broken}");
    }
    if !found.broken.is_empty() {
        bail!("{} of {} links lead nowhere", found.broken.len(), found.links);
    }
    println!("{} pages in {}, {} links, none broken", found.pages, pages.display(), found.links);
    Ok(())
}
