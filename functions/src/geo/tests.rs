//! Places, against published values.

use crate::answers::{Answers, check_examples};

#[test]
fn distances_are_those_of_the_sphere() {
    Answers::new().check(
        r#"
    round(earth_distance(40, 73, 41, 74), 1) -> 139.7 :: DOUBLE
    haversine_km(10, 20, 10, 20) -> 0.0
    -- A half and a quarter of the circumference.
    abs(haversine_km(0, 0, 0, 180) - pi() * 6371.0088) < 1e-9 -> true
    abs(haversine_m(90, 0, -90, 77) - pi() * 6371008.8) < 1e-6 -> true
    abs(haversine_km(0, 0, 90, 0) - pi() * 6371.0088 / 2) < 1e-9 -> true
    -- Nashville to Los Angeles, the usual example of the formula (with a radius of 6372.8 km).
    round(haversine_km(36.12, -86.67, 33.94, -118.4) * 6372.8 / 6371.0088, 3) -> 2887.26
    haversine_km(NULL, 0, 0, 0) -> NULL
    haversine_km('nan'::double, 0, 0, 0) -> nan
    haversine_km(1, 2, 3) -> ERR haversine_km
        "#,
    );
}

#[test]
fn geohashes_are_the_published_ones() {
    Answers::new().check(
        r#"
    geohash_encode(57.64911, 10.40744, 11) -> u4pruydqqvj :: VARCHAR
    geohash_encode(42.605, -5.603, 5) -> ezs42
    geohash_encode(48.669, -4.329, 5) -> gbsuv
    geohash_encode(0, 0, 1) -> s
    geohash_encode(-90, -180, 2) -> 00
    geohash_encode(90, 180, 2) -> zz
    length(geohash_encode(1, 2)) -> 12
    geohash_encode(91, 0, 5) -> ERR argument 1 is 91
    geohash_encode(0, 'nan'::double, 5) -> ERR argument 2 is NaN
    geohash_encode(0, 0, 13) -> ERR from 1 to 12
    geohash_encode(NULL, 0, 5) -> NULL
    struct_extract(geohash_decode('EZS42'), 'latitude') -> 42.60498046875
    geohash_decode(geohash_encode(12.34, -56.78)) = geohash_decode(lower(geohash_encode(12.34, -56.78))) -> true
    geohash_decode('') -> ERR has 0 bytes
    geohash_decode('aéa') -> ERR holds "a"
    geohash_decode(NULL) -> NULL
    geohash_id(42.605, -5.603, 25) -> 14672002 :: BIGINT
    geohash_id(0, 0, 2) -> 3
    geohash_id(37.779, -122.419, 52) >> 27 = geohash_id(37.779, -122.419, 25) -> true
    geohash_id(0, 0, 63) -> ERR 1 to 62 bits
        "#,
    );
}

/// Latitudes, longitudes and ids from the tests of the S2 libraries.
const CELLS: [(u64, f64, f64); 8] = [
    (0x47a1_cbd5_9552_2b39, 49.703498679, 11.770681595),
    (0x4652_5318_b63b_e0f9, 55.685376759, 12.588490937),
    (0x52b3_0b71_698e_729d, 45.486546517, -93.449700022),
    (0x46ed_8886_cfad_da85, 58.299984854, 23.049300056),
    (0x3663_f18a_24cb_e857, 34.364439040, 108.330699969),
    (0x010a_06c0_a948_cf5d, -30.694551352, -30.048758753),
    (0x2b2b_fd07_6787_c5df, -25.285264027, 133.823116966),
    (0xb09d_ff88_2a78_09e1, -75.000000031, 0.000000133),
];

#[test]
fn s2_cells_are_those_of_the_libraries() {
    for (id, latitude, longitude) in CELLS {
        // The coordinates are rounded, so the last divisions may differ.
        assert_eq!(super::s2::parent_of_place(latitude, longitude, 24), super::s2::parent(id, 24), "{id:x}");
    }
}

#[test]
fn s2_cells_nest_and_have_centres() {
    Answers::new().check(
        r#"
    s2_cell(0, 0, 0) -> 1152921504606846976 :: BIGINT
    s2_level(s2_cell(0, 0, 0)) -> 0
    s2_center(s2_cell(0, 0, 0)) -> {'latitude': 0.0, 'longitude': 0.0}
    s2_center(s2_cell(89, 10, 0)) -> {'latitude': 90.0, 'longitude': 0.0}
    s2_parent(s2_cell(-33.9, 151.2), 7) = s2_cell(-33.9, 151.2, 7) -> true
    abs(s2_cell(-33.9, 151.2) - s2_cell(-33.9, 151.2, 7)) < 70368744177664 -> true
    haversine_m(-33.9, 151.2, struct_extract(s2_center(s2_cell(-33.9, 151.2)), 'latitude'), struct_extract(s2_center(s2_cell(-33.9, 151.2)), 'longitude')) < 0.01 -> true
    s2_level(0) -> ERR expected the id of a cell
    s2_level(2) -> ERR expected the id of a cell
    s2_parent(s2_cell(1, 1, 5), 6) -> ERR from 0 to 5
    s2_cell(1, 1, 31) -> ERR from 0 to 30
    s2_cell(-91, 1) -> ERR latitude from -90 to 90
    s2_center(-1) -> ERR expected the id of a cell
    s2_cell(NULL, 1) -> NULL
        "#,
    );
}

#[test]
fn examples_hold() {
    check_examples(&["geography"]);
}
