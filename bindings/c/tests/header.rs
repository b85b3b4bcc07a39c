//! The committed header is what the sources give. `HYPOSTYLE_BLESS=1` writes it anew.

use std::path::Path;

#[test]
#[allow(clippy::unwrap_used, clippy::expect_used)]
fn the_header_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config =
        cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("the configuration is readable");
    let builder = cbindgen::Builder::new().with_config(config).with_src(root.join("src/lib.rs"));
    let mut header = Vec::new();
    builder.generate().expect("the sources make a header").write(&mut header);
    let header = String::from_utf8(header).expect("a header is text");
    let path = root.join("include/hypostyle.h");
    if std::env::var_os("HYPOSTYLE_BLESS").is_some() {
        std::fs::write(&path, &header).expect("the header is written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == header,
        "include/hypostyle.h is not current; run with HYPOSTYLE_BLESS=1 and look at the difference"
    );
}
