"""
Makes the vectors of this folder again: values of the special functions and tails, computed with mpmath at 120 digits by other ways
than the code under test (plain sums of positive terms, and mpmath's own erfc, gamma and root finding), and compared here with SciPy
wherever SciPy answers. An argument is the double that the JSON shows; a value is correct to all the digits shown
(except in sums.json, which is drawn: NumPy's generator gives the same draws again, their error is some percent).

    python3 -m venv /tmp/vectors && /tmp/vectors/bin/pip install mpmath==1.4.1 scipy==1.17.1 numpy==2.4.6 gmpy2
    /tmp/vectors/bin/python test/models/baseline/vectors/make.py
"""
import json
import os
import random
import sys

import mpmath
import numpy
import scipy
from mpmath import mp, mpf
from scipy import special, stats

mp.dps = 120
TINY = mpf(10) ** -105
FOLDER = os.path.dirname(os.path.abspath(__file__))
draw = random.Random(20240229)
disagreement = {}


def log_gamma_p(a, x):
    """log P(a, x) by x^a e^-x / Gamma(a+1) sum x^k / (a+1)_k: terms of one sign."""
    a, x = mpf(a), mpf(x)
    if x > a + 1 and (a == int(a) or x < 1e4):
        return mp.log1p(-mp.exp(log_gamma_q(a, x)))
    total = term = mpf(1)
    k = 0
    while term > total * TINY:
        k += 1
        term *= x / (a + k)
        total += term
    return a * mp.log(x) - x - mp.loggamma(a + 1) + mp.log(total)


def log_gamma_q(a, x):
    """log Q(a, x): for a whole number a sum_{k<a} e^-x x^k / k!, else mpmath."""
    a, x = mpf(a), mpf(x)
    if x < a:
        return mp.log1p(-mp.exp(log_gamma_p(a, x)))
    if a != int(a):
        return mp.log(mp.gammainc(a, x, mp.inf, regularized=True))
    total = term = mpf(1)
    k = int(a) - 1
    while k > 0 and term > total * TINY:
        term *= k / x
        total += term
        k -= 1
    return (a - 1) * mp.log(x) - x - mp.loggamma(a) + mp.log(total)


def beta_series(a, b, x, y, most):
    """log I_x(a, b) by x^a y^b / (a B(a, b)) sum (a+b)_k / (a+1)_k x^k, or None past `most` terms."""
    total = term = mpf(1)
    for k in range(most):
        term *= (a + b + k) / (a + 1 + k) * x
        total += term
        if term < total * TINY and (a + b + k) * x < (a + 1 + k) * mpf('0.9999999'):
            return a * mp.log(x) + b * mp.log(y) - mp.log(a) - mp.log(mp.beta(a, b)) + mp.log(total)
    return None


def log_beta(a, b, x, y=None):
    a, b, x = mpf(a), mpf(b), mpf(x)
    y = 1 - x if y is None else y
    first_is_x = x < a / (a + b)
    for most in (20_000, 1_000_000):
        for is_x in (first_is_x, not first_is_x):
            value = beta_series(a, b, x, y, most) if is_x else beta_series(b, a, y, x, most)
            if value is None:
                continue
            if is_x and (first_is_x or value < -mpf(10) ** -80):
                return value
            if is_x:
                continue
            rest = -mp.expm1(value)
            if rest > mpf(10) ** -80:
                return mp.log(rest) if rest < 0.5 else mp.log1p(-mp.exp(value))
    raise ValueError(f'no series for {a} {b} {x}')


def log_nb_upper(n, mean, size):
    mean = mpf(mean)
    if size == 'Infinity':
        return log_gamma_p(n, mean)
    size = mpf(size)
    return log_beta(n, size, mean / (mean + size), size / (mean + size))


def log_nb_lower(n, mean, size):
    mean = mpf(mean)
    if size == 'Infinity':
        return log_gamma_q(n + 1, mean)
    size = mpf(size)
    return log_beta(size, n + 1, size / (mean + size), mean / (mean + size))


def log_normal_tail(z):
    return mp.log(mp.erfc(mpf(z) / mp.sqrt(2)) / 2)


def normal_upper_quantile(log_p):
    start = float(special.ndtri_exp(float(log_p))) * -1
    return mp.findroot(lambda z: log_normal_tail(z) - mpf(log_p), start)


def against(name, ours, theirs):
    """Notes the largest disagreement with SciPy (relative to the tail, or to its logarithm), where SciPy has an answer."""
    ours, theirs = float(ours), float(theirs)
    if abs(theirs) in (0.0, float('inf')) or theirs != theirs:
        return
    off = abs(ours - theirs) / max(1.0, abs(ours))
    disagreement[name] = max(disagreement.get(name, 0.0), off)
    assert off < 1e-6, (name, ours, theirs)


def rounded(low, high):
    """Log-uniform, three digits, so that the JSON shows the whole number."""
    return float(f'{10 ** draw.uniform(low, high):.3g}')


def write(name, rows):
    head = {
        'made_by': f'test/models/baseline/vectors/make.py',
        'tools': f'mpmath {mpmath.__version__} at {mp.dps} digits; compared with SciPy {scipy.__version__}; draws by NumPy {numpy.__version__}; Python {sys.version.split()[0]}',
        'largest_disagreement_with_scipy': {k: float(f'{v:.1e}') for k, v in sorted(disagreement.items())},
    }
    disagreement.clear()
    body = ',\n'.join('  ' + json.dumps(r) for r in rows)
    with open(os.path.join(FOLDER, name + '.json'), 'w') as out:
        out.write(json.dumps(head)[:-1] + ',\n"rows": [\n' + body + '\n]}\n')
    print(name, len(rows), head['largest_disagreement_with_scipy'])


def row(fn, args, value):
    return {'fn': fn, 'args': list(args), 'value': float(value)}


def special_functions():
    rows = []
    xs = [1e-8, 0.01, 0.5, 1 - 1e-7, 1 + 1e-7, 1.4616321449683622, 1.5, 2 - 1e-9, 2 + 1e-9, 2.5, 3, 9.99, 10, 15.5, 171, 1e4, 1e6, 1e12]
    for x in xs + [rounded(-6, 7) for _ in range(40)]:
        rows.append(row('logGamma', [x], mp.loggamma(mpf(x))))
        against('logGamma', mp.loggamma(mpf(x)), special.gammaln(x))
    for _ in range(150):
        a = rounded(-1.3, 6)
        x = float(f'{a * draw.choice([1e-3, .3, .9, .99, 1, 1.01, 1.1, 2, 5]):.4g}')
        x = float(f'{max(x, a + draw.uniform(-20, 20) * a ** .5, 1e-3):.6g}') if draw.random() < .5 else x
        if x > a and (a < 1 or x > 5e4 and a != int(a)):
            a = float(max(1, int(a)))
        p, q = log_gamma_p(a, x), log_gamma_q(a, x)
        rows.append(row('logGammaP', [a, x], p))
        rows.append(row('logGammaQ', [a, x], q))
        with mp.workdps(20):
            against('gammaP', mp.exp(p), special.gammainc(a, x))
            against('gammaQ', mp.exp(q), special.gammaincc(a, x))
    for _ in range(220):
        a, b = rounded(-1.3, draw.choice([1, 3, 6])), rounded(-1.3, draw.choice([1, 3, 6]))
        m = a / (a + b)
        sd = (m * (1 - m) / (a + b + 1)) ** .5
        x = m + draw.uniform(-12, 12) * sd if draw.random() < .6 else draw.random()
        x = float(f'{min(max(x, m / 1000), 1 - (1 - m) / 1000):.6g}')
        if not 0 < x < 1:
            continue
        value = log_beta(a, b, x)
        rows.append(row('logIncompleteBeta', [a, b, x], value))
        against('incompleteBeta', mp.exp(value), special.betainc(a, b, x))
    zs = [-40, -8, -3.0001, -3, -1, -1e-9, 0, 1e-9, 1e-3, .5, 1, 2, 2.9999, 3, 3.0001, 3.5, 4, 5, 6, 8, 10, 20, 30, 37, 38, 40, 100, 1e4]
    for z in zs + [round(draw.uniform(-10, 40), 3) for _ in range(60)]:
        rows.append(row('logNormalTail', [z], log_normal_tail(z)))
        against('logNormalTail', log_normal_tail(z), special.log_ndtr(-z))
    for p in [1e-300, 1e-100, 1e-12, 1e-9, 1e-6, 1e-3, .02, .0999, .1, .1001, .3, .4999, .49999999, .5, .50000001, .7, .9, .9001, .999, 1 - 1e-9]:
        z = mp.sqrt(2) * mp.erfinv(2 * mpf(p) - 1) if p > 1e-20 else -normal_upper_quantile(mp.log(mpf(p)))
        rows.append(row('normalQuantile', [p], z))
        against('normalQuantile', z, special.ndtri(p))
    for lp in [-1e-9, -.001, -.1, -.105, -.106, -.5, -.6931, -.7, -2.3, -2.31, -5, -27.6, -100, -690, -1e4, -1e6]:
        z = normal_upper_quantile(lp)
        rows.append(row('normalUpperQuantile', [lp], z))
        against('normalUpperQuantile', z, -special.ndtri_exp(lp))
    write('special', rows)


def distributions():
    rows = []
    cases = [(20, 3, .5), (40, 3, .5), (94, 3, .5), (1, 1e-6, .05), (1, 1e-6, 1e6), (10, 1e-6, 1), (1_000_000, 1e6, 1e6), (1_000_000, 1e6, .05),
             (1_010_000, 1e6, 1e6), (1_000_000, 9.9e5, 1e6), (1_000_000, 9e5, 1000), (1_000_000, 1e-6, 1e6), (3, 1e6, .05), (1, 1e6, .05),
             (1_000_000, 1000, .05), (1_000_000, 1e6, 'Infinity'), (1_004_000, 1e6, 'Infinity'), (990_000, 1e6, 'Infinity'), (30, 1e-6, 'Infinity'), (1, 1e-6, 'Infinity')]
    while len(cases) < 260:
        mean, size = rounded(-6, 6), draw.choice([rounded(-1.3, 6), rounded(-.3, 2), 15, 8, 'Infinity'])
        sd = (mean + (0 if size == 'Infinity' else mean * mean / size)) ** .5
        n = int(mean + draw.choice([-2, -1, 0, 1, 3, 6, 12, 30]) * sd * draw.random()) + draw.choice([0, 1, 1, 2, 5])
        if 0 < n <= 1_000_000:
            cases.append((n, mean, size))
    for n, mean, size in cases:
        upper, lower = log_nb_upper(n, mean, size), log_nb_lower(n, mean, size)
        rows.append(row('logNegativeBinomialUpperTail', [n, mean, size], upper))
        rows.append(row('logNegativeBinomialLowerTail', [n, mean, size], lower))
        if size == 'Infinity':
            against('poisson', mp.exp(upper), stats.poisson.sf(n - 1, mean))
        else:
            against('negative binomial', mp.exp(upper), special.betainc(n, size, mean / (mean + size)))
    for _ in range(60):
        n = int(rounded(0, 5))
        p = rounded(-6, -.01)
        k = min(n, int(n * p + draw.uniform(-2, 20) * (n * p * (1 - p)) ** .5) + 1)
        if k < 1:
            continue
        value = log_beta(k, n - k + 1, p)
        rows.append(row('logBinomialUpperTail', [k, n, p], value))
        against('binomial', mp.exp(value), stats.binom.sf(k - 1, n, p))
    for x, mu, sigma in [(5e8, 19.3, .9), (1e11, 19.3, .9), (1e3, 19.3, .9), (1e300, 10, 2), (1e-300, 1, 3), (2e8, 19.1, .05)]:
        value = log_normal_tail((mp.log(mpf(x)) - mpf(mu)) / mpf(sigma))
        rows.append(row('logLogNormalUpperTail', [x, mu, sigma], value))
        against('log-normal', mp.exp(value), stats.lognorm.sf(x, sigma, scale=float(mp.exp(mu))))
    for a, b in [(.4, 20), (.4, 61), (1, 20), (3, 10), (1e-6, 1e6), (1e6, 1e-6), (5, 1e-300), (.4, 1e15)]:
        rows.append(row('gammaPoissonNovelty', [a, b], -mp.expm1(mpf(a) * mp.log(mpf(b) / (mpf(b) + 1)))))
    for p, m in [(1e-300, 40), (1e-18, 40), (1e-6, 20), (.01, 3), (.5, 40), (1e-12, 1e12), (.3, .5)]:
        rows.append(row('sidak', [p, m], -mp.expm1(mpf(m) * mp.log1p(-mpf(p)))))
    for lp, m in [(-5000, 40), (-691, 3), (-690, 3), (-40, 1e9), (-.1, 20), (-1e-3, 2)]:
        rows.append(row('logSidak', [lp, m], mp.log(-mp.expm1(mpf(m) * mp.log1p(-mp.exp(mpf(lp)))))))
    write('distributions', rows)


def sums_of_log_normals():
    """Upper quantiles of sums of n log-normal values, mu = 0, drawn: [p, n, sigma, x]; at least 40 draws lie above each."""
    rng = numpy.random.default_rng(20240229)
    rows = []
    for n in (2, 5, 31, 200):
        draws = 4_000_000 if n < 100 else 1_000_000
        for sigma in (0.3, 0.9, 1.5, 2):
            total = numpy.zeros(draws)
            for _ in range(n):
                total += numpy.exp(sigma * rng.standard_normal(draws))
            for p in (0.1, 0.01, 1e-3, 1e-4, 1e-5):
                if p * draws >= 40:
                    rows.append(row('logNormalSumUpperTail', [float(f'{numpy.quantile(total, 1 - p):.6g}'), n, 0, sigma], p))
    write('sums', rows)


special_functions()
distributions()
sums_of_log_normals()
