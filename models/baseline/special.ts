/**
 * The special functions under every p-value: log-gamma, the regularised incomplete gamma and beta functions and the normal tail, each
 * with its logarithm, so that a tail of 1e-300 is as exact as one of 0.1 (relative error below 1e-9 everywhere, 1e-13 typically; the
 * vectors of the tests say so).
 *
 * How the far tail stays exact: powers and factorials are never computed apart. The densities are written as a Stirling error and a
 * deviance (C. Loader, "Fast and accurate computation of binomial probabilities", 2000), which have no large terms that cancel, and
 * the small side is always the one that is computed; the large side is one minus it.
 *
 * These are functions of numbers, not of data: outside its domain each gives NaN. `distributions.ts` is where hostile numbers end.
 */

const HALF_LOG_2PI = 0.9189385332046728
const SQRT_HALF_PI = 1.2533141373155003
/** Where a continued fraction or series has converged: its last factor or term no longer changes a double. */
const EPSILON = 1.2e-16
/** More terms than any series needs for arguments up to 1e9 (about 8.5 sqrt(a)); beyond, digits are lost, but no time without end. */
const MOST_TERMS = 400_000
/** Stands in for a zero denominator (Lentz). */
const TINY = 1e-300

/** (-1)^k (zeta(k) - 1) / k for k = 2..27: log-gamma around 2. */
const LOG_GAMMA_AT_2 = Float64Array.of(
  0.3224670334241132, -0.0673523010531981, 0.020580808427784546, -0.007385551028673986, 0.0028905103307415234,
  -0.001192753911703261, 0.0005096695247430425, -0.00022315475845357939, 0.00009945751278180853, -0.00004492623673813314,
  0.00002050721277567069, -0.000009439488275268397, 0.000004374866789907488, -0.000002039215753801366, 9.55141213040742e-7,
  -4.492469198764566e-7, 2.1207184805554665e-7, -1.0043224823968099e-7, 4.7698101693639804e-8, -2.2711094608943164e-8,
  1.0838659214896955e-8, -5.183475041970047e-9, 2.4836745438024785e-9, -1.1921401405860912e-9, 5.731367241678862e-10,
  -2.7595228851242334e-10,
)
/** 1 - Euler's constant: the slope of log-gamma at 2. */
const SLOPE_AT_2 = 0.42278433509846713

/**
 * The error of Stirling's formula: log(n!) - log(sqrt(2 pi n) (n/e)^n), for real n > 0 (0.08106 at 1, about 1/(12 n)).
 * It is what is left of a factorial once the deviance has taken the large terms.
 */
export function stirlingError(n: number): number {
  if (n < 10) return logGamma(n + 1) - (n + 0.5) * Math.log(n) + n - HALF_LOG_2PI
  const s = 1 / (n * n)
  return (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s * (1 / 1188 - s * (691 / 360360 - s * (1 / 156))))))) / n
}

/** log(Gamma(x)) for x > 0, exact also beside its zeros at 1 and 2. 0 gives Infinity; negative x is outside the domain. */
export function logGamma(x: number): number {
  if (!(x > 0)) return x === 0 ? Infinity : NaN
  if (x >= 10) return x === Infinity ? Infinity : (x - 0.5) * (Math.log(x) - 1) - 0.5 + HALF_LOG_2PI + stirlingError(x)
  let factor = 1
  while (x > 2.5) factor *= --x
  if (x >= 1.5) return logGammaAt2(x - 2) + Math.log(factor)
  if (x >= 0.5) return logGammaAt2(x - 1) - Math.log1p(x - 1)
  return logGammaAt2(x) - Math.log1p(x) - Math.log(x)
}

/** log(Gamma(2 + z)) for |z| <= 1/2, by its Taylor series. */
function logGammaAt2(z: number): number {
  let sum = 0
  for (let i = LOG_GAMMA_AT_2.length - 1; i >= 0; i--) sum = sum * z + LOG_GAMMA_AT_2[i]!
  return z * (SLOPE_AT_2 + z * sum)
}

/**
 * The deviance x log(x/m) + m - x of a value x >= 0 from its expectation m > 0: zero when they agree, without cancellation when they
 * nearly do.
 */
export function deviance(x: number, m: number): number {
  if (x === 0) return m
  const d = x - m
  if (Math.abs(d) > 0.1 * (x + m)) return x * Math.log(x / m) - d
  // log(x/m) = 2 artanh(v), v = (x-m)/(x+m); the first terms of 2 x artanh(v) - d leave d v.
  const v = d / (x + m)
  const v2 = v * v
  let sum = d * v
  let power = 2 * x * v
  for (let j = 3; j < 60; j += 2) {
    power *= v2
    const next = sum + power / j
    if (next === sum) break
    sum = next
  }
  return sum
}

/** log(1 - e^x) for x <= 0, exact for x near 0 and for x far below. */
export function log1mExp(x: number): number {
  return x > -0.6931471805599453 ? Math.log(-Math.expm1(x)) : Math.log1p(-Math.exp(x))
}

// ---- incomplete gamma

/**
 * P(a, x), the regularised lower incomplete gamma function, for a > 0 and x >= 0: the share of a Gamma(a) distribution below x, and
 * P(X >= a) of a Poisson count with mean x. P + Q = 1.
 */
export function gammaP(a: number, x: number): number {
  if (!(a > 0 && x >= 0)) return NaN
  return bySeries(a, x) ? Math.exp(logGammaSeries(a, x)) : 1 - Math.exp(logGammaFraction(a, x))
}

/** log P(a, x). */
export function logGammaP(a: number, x: number): number {
  if (!(a > 0 && x >= 0)) return NaN
  return bySeries(a, x) ? logGammaSeries(a, x) : log1mExp(logGammaFraction(a, x))
}

/** log Q(a, x). */
export function logGammaQ(a: number, x: number): number {
  if (!(a > 0 && x >= 0)) return NaN
  return bySeries(a, x) ? log1mExp(logGammaSeries(a, x)) : logGammaFraction(a, x)
}

/** Which of the two gives the small side: the series below the mean; the fraction would be slow for x < 1. */
function bySeries(a: number, x: number): boolean {
  return x < a || x < 1
}

/** log(x^a e^-x / Gamma(a)): x times the Gamma(a) density. */
function logGammaFront(a: number, x: number): number {
  return 0.5 * Math.log(a) - HALF_LOG_2PI - stirlingError(a) - deviance(a, x)
}

/** log P(a, x): front / a (1 + x/(a+1) + x^2/((a+1)(a+2)) + ...). */
function logGammaSeries(a: number, x: number): number {
  if (x === 0) return -Infinity
  let sum = 1
  let term = 1
  for (let n = 1; n < MOST_TERMS; n++) {
    term *= x / (a + n)
    sum += term
    if (term < sum * EPSILON) break
  }
  return logGammaFront(a, x) + Math.log(sum / a)
}

/** log Q(a, x), by Legendre's continued fraction. */
function logGammaFraction(a: number, x: number): number {
  if (x === Infinity) return -Infinity
  let b = x + 1 - a
  let c = 1 / TINY
  let d = 1 / b
  let h = d
  for (let n = 1; n < MOST_TERMS; n++) {
    const an = -n * (n - a)
    b += 2
    d = an * d + b
    if (d === 0) d = TINY
    c = b + an / c
    if (c === 0) c = TINY
    d = 1 / d
    const change = c * d
    h *= change
    if (Math.abs(change - 1) < 2 * EPSILON) break
  }
  return logGammaFront(a, x) + Math.log(h)
}

// ---- incomplete beta

/**
 * I_x(a, b), the regularised incomplete beta function, for a, b > 0 and 0 <= x <= 1. The upper tail 1 - I_x(a, b) is I_y(b, a).
 * @param y 1 - x; give it where it is known better than the subtraction gives it (x near 1).
 */
export function incompleteBeta(a: number, b: number, x: number, y: number = 1 - x): number {
  if (!(a > 0 && b > 0 && x >= 0 && y >= 0)) return NaN
  return a * y >= b * x ? Math.exp(logBetaFraction(a, b, x, y)) : 1 - Math.exp(logBetaFraction(b, a, y, x))
}

/** log I_x(a, b). */
export function logIncompleteBeta(a: number, b: number, x: number, y: number = 1 - x): number {
  if (!(a > 0 && b > 0 && x >= 0 && y >= 0)) return NaN
  return a * y >= b * x ? logBetaFraction(a, b, x, y) : log1mExp(logBetaFraction(b, a, y, x))
}

/** log I_x(a, b) for x <= a/(a+b), by the continued fraction of DiDonato and Morris (TOMS 708, 1992, eq. 9). */
function logBetaFraction(a: number, b: number, x: number, y: number): number {
  if (x === 0) return -Infinity
  const n = a + b
  // The front x^a y^b / B(a, b).
  const front = stirlingError(n) - stirlingError(a) - stirlingError(b) - deviance(a, n * x) - deviance(b, n * y) +
    0.5 * Math.log(a * (b / n)) - HALF_LOG_2PI
  const lambda = a * y - b * x
  let f = (a * (lambda + 1)) / (a + 1)
  if (f === 0) f = TINY
  let c = f
  let d = 0
  for (let m = 1; m < MOST_TERMS; m++) {
    const k = a + 2 * m
    const alpha = ((a + m - 1) / (k - 1)) * (m / (k - 1)) * ((n + m - 1) * x) * ((b - m) * x)
    const beta = m + (m * ((b - m) * x)) / (k - 1) + ((a + m) * (lambda + 1 + m * (1 + y))) / (k + 1)
    d = beta + alpha * d
    if (d === 0) d = TINY
    c = beta + alpha / c
    if (c === 0) c = TINY
    d = 1 / d
    const change = c * d
    f *= change
    if (Math.abs(change - 1) < 2 * EPSILON) break
  }
  return front - Math.log(f)
}

// ---- the normal distribution

/** Up to here the central series keeps 13 digits of the tail; beyond, the continued fraction is short. */
const SERIES_TO = 3

/** P(Z > z) of the standard normal distribution; 8e-10 at 6, 5e-198 at 30. */
export function normalUpperTail(z: number): number {
  if (Number.isNaN(z)) return NaN
  if (z > SERIES_TO) return Math.exp(-0.5 * z * z - HALF_LOG_2PI) * millsRatio(z)
  return z < -SERIES_TO ? 1 - normalUpperTail(-z) : 0.5 - normalCentre(z)
}

/** log P(Z > z), for any z (about -z^2/2 far out). */
export function logNormalTail(z: number): number {
  if (Number.isNaN(z)) return NaN
  if (z > SERIES_TO) return z === Infinity ? -Infinity : -0.5 * z * z - HALF_LOG_2PI + Math.log(millsRatio(z))
  return z < -SERIES_TO ? Math.log1p(-normalUpperTail(-z)) : Math.log(0.5 - normalCentre(z))
}

/** P(0 < Z < z) with the sign of z: density times z + z^3/3 + z^5/(3 5) + ..., terms of one sign. */
function normalCentre(z: number): number {
  const z2 = z * z
  let term = z
  let sum = z
  for (let k = 3; k < 200; k += 2) {
    term *= z2 / k
    const next = sum + term
    if (next === sum) break
    sum = next
  }
  return sum * Math.exp(-0.5 * z2 - HALF_LOG_2PI)
}

/** P(Z > z) / density(z) for z >= 3: 1/(z + 1/(z + 2/(z + 3/...))), from the inside out. */
function millsRatio(z: number): number {
  let tail = z
  for (let k = Math.ceil(12 + 460 / (z * z)); k > 0; k--) tail = z + k / tail
  return 1 / tail
}

/** The z with P(Z < z) = p (probit), for 0 <= p <= 1. For a small upper tail use `normalUpperQuantile`: 1 - 1e-20 is 1. */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) return NaN
  if (p > 0.1 && p < 0.9) return centralQuantile(p - 0.5)
  return p <= 0.1 ? -normalUpperQuantile(Math.log(p)) : normalUpperQuantile(Math.log1p(-p))
}

/** The z with P(Z > z) = exp(logP), for logP <= 0; 37.0 at log(1e-300). */
export function normalUpperQuantile(logP: number): number {
  if (!(logP <= 0)) return NaN
  if (logP === 0) return -Infinity
  if (logP === -Infinity) return Infinity
  if (logP > -0.10536051565782628) return -normalUpperQuantile(log1mExp(logP))
  if (logP > -2.3025850929940455) return centralQuantile(-Math.expm1(logP) - 0.5)
  // Abramowitz and Stegun 26.2.23 is within 4.5e-4; each Halley step cubes the error.
  const t = Math.sqrt(-2 * logP)
  let z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
  for (let i = 0; i < 2; i++) {
    const tail = logNormalTail(z)
    const hazard = Math.exp(-0.5 * z * z - HALF_LOG_2PI - tail)
    const f = tail - logP
    // f' = -hazard, f'' = -hazard (hazard - z)
    z += (2 * f * hazard) / (2 * hazard * hazard + f * hazard * (hazard - z))
  }
  return z
}

/** The z with P(0 < Z < z) = q, for |q| < 0.4: exact to the last digits of q around zero. */
function centralQuantile(q: number): number {
  let z = q * 2 * SQRT_HALF_PI
  for (let i = 0; i < 6; i++) {
    const f = normalCentre(z) - q
    const density = Math.exp(-0.5 * z * z - HALF_LOG_2PI)
    const step = (2 * f * density) / (2 * density * density + f * z * density)
    z -= step
    if (Math.abs(step) < 1e-6 * Math.abs(z)) break
  }
  return z
}
