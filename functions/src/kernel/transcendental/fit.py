"""Fits the polynomials of this folder (Remez exchange, 60 digits); needs mpmath.

`python fit.py` prints the coefficients of every kernel with the error of the fit.
"""

from mpmath import asin, atan, atanh, cos, euler, exp, gamma, log, lu_solve, matrix, mp, mpf, pi, sin, sqrt, zeta

mp.dps = 60


def remez(function, weight, low, high, degree, grid=600):
    """Coefficients that minimise max |weight (function - polynomial)| over [low, high], and that maximum."""
    count = degree + 2
    nodes = [(low + high) / 2 + (high - low) / 2 * cos(pi * (count - 1 - i) / (count - 1)) for i in range(count)]
    for _ in range(12):
        system, values = matrix(count, count), matrix(count, 1)
        for row, x in enumerate(nodes):
            for power in range(degree + 1):
                system[row, power] = x**power
            system[row, degree + 1] = (-1) ** row / weight(x)
            values[row] = function(x)
        solution = lu_solve(system, values)
        coefficients = [solution[power] for power in range(degree + 1)]

        def error(x):
            value = mpf(0)
            for coefficient in reversed(coefficients):
                value = value * x + coefficient
            return weight(x) * (function(x) - value)

        points = [(low + high) / 2 - (high - low) / 2 * cos(pi * i / grid) for i in range(grid + 1)]
        extremes = []
        for x, size in ((x, error(x)) for x in points):
            if extremes and (size > 0) == (extremes[-1][1] > 0):
                if abs(size) > abs(extremes[-1][1]):
                    extremes[-1] = (x, size)
            else:
                extremes.append((x, size))
        while len(extremes) > count:
            extremes.pop(0 if abs(extremes[0][1]) < abs(extremes[-1][1]) else -1)
        sizes = [abs(size) for _, size in extremes]
        if len(extremes) < count or max(sizes) / min(sizes) < mpf("1.02"):
            break
        nodes = [x for x, _ in extremes]
    return coefficients, max(sizes)


def series(function, at_zero):
    """`function`, with its limit where cancellation would spoil it."""
    return lambda x: at_zero(x) if abs(x) < mpf("1e-15") else function(x)


def through_root(function, at_zero):
    """A function of the square of its argument."""
    return lambda z: at_zero(z) if z < mpf("1e-20") else function(sqrt(z), z)


SMALL = mpf("1e-9")
KERNELS = {
    "exp.rs: EXP_TAIL": (
        series(lambda r: (exp(r) - 1 - r) / r**2, lambda r: mpf(1) / 2 + r / 6),
        lambda r: r * r + SMALL, -log(mpf(2)) / 2 * mpf("1.0001"), log(mpf(2)) / 2 * mpf("1.0001"), 10,
    ),
    "ln.rs: LN_TAIL": (
        through_root(lambda s, z: (2 * atanh(s) / s - 2) / z, lambda z: mpf(2) / 3 + 2 * z / 5),
        lambda z: z + SMALL, mpf(0), mpf("0.029443"), 7,
    ),
    "ln_pair.rs: TAIL": (
        through_root(lambda s, z: ((2 * atanh(s) / s - 2) / z - mpf(2) / 3) / z, lambda z: mpf(2) / 5 + 2 * z / 7),
        lambda z: z * z + SMALL, mpf(0), mpf("0.029443"), 7,
    ),
    "trigonometric.rs: SINE": (
        through_root(lambda r, z: (sin(r) - r) / (r * z), lambda z: -mpf(1) / 6 + z / 120),
        lambda z: z + SMALL, mpf(0), (pi / 4) ** 2 * mpf("1.0002"), 6,
    ),
    "trigonometric.rs: COSINE": (
        through_root(lambda r, z: (cos(r) - 1 + z / 2) / z**2, lambda z: mpf(1) / 24 - z / 720),
        lambda z: z * z + SMALL, mpf(0), (pi / 4) ** 2 * mpf("1.0002"), 6,
    ),
    "arc.rs: ARC_TANGENT": (
        through_root(lambda t, z: (atan(t) - t) / (t * z), lambda z: -mpf(1) / 3 + z / 5),
        lambda z: z + SMALL, mpf(0), (sqrt(mpf(2)) - 1) ** 2 * mpf("1.001"), 11,
    ),
    "arc.rs: ARC_SINE": (
        through_root(lambda t, z: (asin(t) - t) / (t * z), lambda z: mpf(1) / 6 + 3 * z / 40),
        lambda z: z + SMALL, mpf(0), mpf("0.2501"), 12,
    ),
    "gamma.rs: NEAR_ONE": (
        series(lambda d: (log(gamma(1 + d)) + euler * d) / d**2, lambda d: zeta(2) / 2 - zeta(3) / 3 * d),
        lambda d: mpf(1), mpf("-0.2501"), mpf("0.2501"), 17,
    ),
    "gamma.rs: NEAR_TWO": (
        series(
            lambda d: (log(gamma(2 + d)) - (1 - euler) * d) / d**2,
            lambda d: (zeta(2) - 1) / 2 - (zeta(3) - 1) / 3 * d,
        ),
        lambda d: mpf(1), mpf("-0.5001"), mpf("0.5001"), 18,
    ),
}

if __name__ == "__main__":
    for name, arguments in KERNELS.items():
        coefficients, error = remez(*arguments)
        print(f"{name}  (error 2^{float(log(error, 2)):.2f})")
        for coefficient in coefficients:
            print(f"    {float(coefficient)!r},")
