"""The two inner loops of the power flow, compiled by numba where it is installed: triangular solves and the fixed point over a block
of intervals. Real and imaginary parts are separate arrays so that the loop over intervals is vectorised.

A fixed point of U = Cᵀ(V₀ − Y⁻¹ C I(U)) is sought; a reference admittance of each leg is part of the factors, and its current is
given back, which brings the iteration close to Newton's for ordinary loads."""

import numpy as np

try:
    import numba
except ImportError:
    numba = None


def compiled(function):
    """The function as machine code, cached beside the source where that can be written; as it stands without numba."""
    if numba is None:
        return function
    flags = {"nsz", "arcp", "contract", "reassoc"}  # no nnan: a diverged interval must be seen as such
    try:
        return numba.njit(function, fastmath=flags, cache=True)
    except RuntimeError:
        return numba.njit(function, fastmath=flags)


@compiled
def substitute(lp, li, lr, lm, up, ui, ur, um, dr, dm, br, bm):
    """Solves L U x = b in place for a block: CSC factors without diagonals, d = 1 / diag(U), b (n, B) as br + j bm."""
    n, width = br.shape
    for j in range(n):
        for p in range(lp[j], lp[j + 1]):
            i, a, b = li[p], lr[p], lm[p]
            for t in range(width):
                x, y = br[j, t], bm[j, t]
                br[i, t] -= a * x - b * y
                bm[i, t] -= a * y + b * x
    for j in range(n - 1, -1, -1):
        a, b = dr[j], dm[j]
        for t in range(width):
            x, y = br[j, t], bm[j, t]
            br[j, t] = a * x - b * y
            bm[j, t] = a * y + b * x
        for p in range(up[j], up[j + 1]):
            i, a, b = ui[p], ur[p], um[p]
            for t in range(width):
                x, y = br[j, t], bm[j, t]
                br[i, t] -= a * x - b * y
                bm[i, t] -= a * y + b * x


@compiled
def fill(ap, ai, parent):
    """The elimination tree of a symmetric pattern (CSC, parent (n,) of −1) and, by columns, the strict upper pattern that elimination
    fills: starts (n + 1,), rows."""
    n = len(parent)
    ancestor, mark, starts = np.full(n, -1, np.int32), np.full(n, -1, np.int32), np.zeros(n + 1, np.int32)
    for k in range(n):
        for p in range(ap[k], ap[k + 1]):
            i = ai[p]
            while i != -1 and i < k:
                above = ancestor[i]
                ancestor[i] = k
                if above == -1:
                    parent[i] = k
                i = above
    rows = np.empty(0, np.int32)
    for turn in range(2):  # counted, then written
        mark[:] = -1
        at = 0
        for k in range(n):
            mark[k] = k
            for p in range(ap[k], ap[k + 1]):
                i = ai[p]
                while i != -1 and i < k and mark[i] != k:
                    if turn:
                        rows[at] = i
                    at += 1
                    mark[i] = k
                    i = parent[i]
            starts[k + 1] = at
        if not turn:
            rows = np.empty(at, np.int32)
    return starts, rows


@compiled
def refactor(ap, ai, ax, lp, li, lx, up, ui, ux, diagonal, stale):
    """Computes the stale columns of L U anew, in place: matrix and factors by columns, the factors strict, filled and sorted."""
    x = np.zeros(len(diagonal), ax.dtype)
    for j in range(len(diagonal)):
        if not stale[j]:
            continue
        x[j] = 0
        for p in range(up[j], up[j + 1]):
            x[ui[p]] = 0
        for p in range(lp[j], lp[j + 1]):
            x[li[p]] = 0
        for p in range(ap[j], ap[j + 1]):
            x[ai[p]] = ax[p]
        for p in range(up[j], up[j + 1]):
            i = ui[p]
            value = x[i]
            ux[p] = value
            for q in range(lp[i], lp[i + 1]):
                x[li[q]] -= lx[q] * value
        diagonal[j] = x[j]
        for q in range(lp[j], lp[j + 1]):
            lx[q] = x[li[q]] / x[j]


@compiled
def solve_columns(factors, order, dense, found, block):
    """L U X = dense (n, k) complex, a block of columns at a time; node i stands at order[i]."""
    lp, li, lr, lm, up, ui, ur, um, dr, dm = factors
    for first in range(0, dense.shape[1], block):
        width = min(block, dense.shape[1] - first)
        br, bm = np.empty((dense.shape[0], width)), np.empty((dense.shape[0], width))
        for i in range(dense.shape[0]):
            for t in range(width):
                br[order[i], t], bm[order[i], t] = dense[i, first + t].real, dense[i, first + t].imag
        substitute(lp, li, lr, lm, up, ui, ur, um, dr, dm, br, bm)
        for i in range(dense.shape[0]):
            for t in range(width):
                found[i, first + t] = complex(br[order[i], t], bm[order[i], t])


@compiled
def answer(v, c, clamp):
    """Share of nominal power drawn at v (per unit): c[0] + c[1] v + c[2] v² + c[3] v^c[4] between clamp[0] and clamp[1], an impedance
    above, below a line of current down to the nominal impedance at clamp[2]; both begin at nominal power where c[4] is negative."""
    low, high, lowest = clamp[0], clamp[1], clamp[2]
    if v > high:
        edge = 1.0 if c[4] < 0 else c[0] + c[1] * high + c[2] * high * high + c[3]
        return edge * (v / high) * (v / high)
    if v >= low:
        share = c[0] + c[1] * v + c[2] * v * v
        return share + c[3] * v ** c[4] if c[3] != 0 else share
    if v <= lowest or low <= lowest:
        return v * v
    at_low = (1.0 if c[4] < 0 else c[0] + c[1] * low + c[2] * low * low + c[3]) / low
    return v * (lowest + (at_low - lowest) / (low - lowest) * (v - lowest))


@compiled
def inject(a_of, b_of, gr, gm, p, q, vr, vm, br, bm):
    """Adds the currents of constant-power legs (less those of their reference admittances) to b."""
    for leg in range(a_of.shape[0]):
        a, b, g, h = a_of[leg], b_of[leg], gr[leg], gm[leg]
        for t in range(vr.shape[1]):
            x, y = vr[a, t], vm[a, t]
            if b >= 0:
                x -= vr[b, t]
                y -= vm[b, t]
            d = 1 / (x * x + y * y)
            s, w = p[leg, t], q[leg, t]
            jr = g * x - h * y - (s * x + w * y) * d
            jm = g * y + h * x - (s * y - w * x) * d
            br[a, t] += jr
            bm[a, t] += jm
            if b >= 0:
                br[b, t] -= jr
                bm[b, t] -= jm


@compiled
def inject_answering(a_of, b_of, gr, gm, nominal, rp, rq, clamp, p, q, vr, vm, br, bm):
    """As inject(), for legs whose power depends on their voltage."""
    for leg in range(a_of.shape[0]):
        a, b, g, h = a_of[leg], b_of[leg], gr[leg], gm[leg]
        for t in range(vr.shape[1]):
            x, y = vr[a, t], vm[a, t]
            if b >= 0:
                x -= vr[b, t]
                y -= vm[b, t]
            square = x * x + y * y
            v = np.sqrt(square) / nominal[leg]
            s = p[leg, t] * answer(v, rp[leg], clamp[leg])
            w = q[leg, t] * answer(v, rq[leg], clamp[leg])
            jr = g * x - h * y - (s * x + w * y) / square
            jm = g * y + h * x - (s * y - w * x) / square
            br[a, t] += jr
            bm[a, t] += jm
            if b >= 0:
                br[b, t] -= jr
                bm[b, t] -= jm


@compiled
def advance(a_of, b_of, v0r, v0m, br, bm, vr, vm, error):
    """V ← V₀ + b; error (B,): each interval's largest relative change across a leg (what nothing holds to ground may float)."""
    for t in range(error.shape[0]):
        error[t] = 0
    for leg in range(a_of.shape[0]):
        i, j = a_of[leg], b_of[leg]
        for t in range(error.shape[0]):
            x, y = v0r[i, t] + br[i, t], v0m[i, t] + bm[i, t]
            dx, dy = x - vr[i, t], y - vm[i, t]
            if j >= 0:
                u, w = v0r[j, t] + br[j, t], v0m[j, t] + bm[j, t]
                x, y, dx, dy = x - u, y - w, dx - (u - vr[j, t]), dy - (w - vm[j, t])
            change = (abs(dx) + abs(dy)) / (abs(x) + abs(y))
            if not change <= error[t]:
                error[t] = change
    for i in range(vr.shape[0]):
        for t in range(vr.shape[1]):
            vr[i, t] = v0r[i, t] + br[i, t]
            vm[i, t] = v0m[i, t] + bm[i, t]


@compiled
def iterate(factors, legs, response, power, v0, v, b, error, tolerance, most):
    """The fixed point of one block; returns the rounds used. An empty response means constant power."""
    lp, li, lr, lm, up, ui, ur, um, dr, dm = factors
    a_of, b_of, gr, gm = legs
    nominal, rp, rq, clamp = response
    for round_ in range(most):
        b[0][:] = 0
        b[1][:] = 0
        if nominal.shape[0] == 0:
            inject(a_of, b_of, gr, gm, power[0], power[1], v[0], v[1], b[0], b[1])
        else:
            inject_answering(a_of, b_of, gr, gm, nominal, rp, rq, clamp, power[0], power[1], v[0], v[1], b[0], b[1])
        substitute(lp, li, lr, lm, up, ui, ur, um, dr, dm, b[0], b[1])
        advance(a_of, b_of, v0[0], v0[1], b[0], b[1], v[0], v[1], error)
        if np.all(error <= tolerance):
            return round_ + 1
    return most


@compiled
def gather(power, start, first, pq, v0, v):
    """Copies one block of powers and starting voltages into the working arrays; start has one column or one per interval."""
    width = pq.shape[2]
    for leg in range(power.shape[0]):
        for t in range(width):
            pq[0, leg, t], pq[1, leg, t] = power[leg, first + t].real, power[leg, first + t].imag
    every = start.shape[1] > 1
    for i in range(start.shape[0]):
        for t in range(width):
            z = start[i, first + t] if every else start[i, 0]
            v0[0, i, t], v0[1, i, t] = z.real, z.imag
            v[0, i, t], v[1, i, t] = z.real, z.imag


@compiled
def scatter(a_of, b_of, v, first, out_legs, out_nodes):
    """Writes one block's leg voltages and, where out_nodes has rows, its node voltages in the kernel's order."""
    for leg in range(a_of.shape[0]):
        a, b = a_of[leg], b_of[leg]
        for t in range(v.shape[2]):
            x, y = v[0, a, t], v[1, a, t]
            if b >= 0:
                x -= v[0, b, t]
                y -= v[1, b, t]
            out_legs[leg, first + t] = complex(x, y)
    for i in range(out_nodes.shape[0]):
        for t in range(v.shape[2]):
            out_nodes[i, first + t] = complex(v[0, i, t], v[1, i, t])


@compiled
def solve_blocks(factors, legs, response, power, start, out_legs, out_nodes, errors, tolerance, most, block):
    """All intervals, a block at a time: power (L, T) complex, start (n, 1 or T) complex in the kernel's order; returns most rounds."""
    rounds = 0
    for first in range(0, power.shape[1], block):
        width = min(block, power.shape[1] - first)
        pq = np.empty((2, power.shape[0], width), errors.dtype)
        v0 = np.empty((2, start.shape[0], width), errors.dtype)
        v, b = np.empty_like(v0), np.empty_like(v0)
        gather(power, start, first, pq, v0, v)
        error = errors[first : first + width]
        rounds = max(rounds, iterate(factors, legs, response, pq, v0, v, b, error, tolerance, most))
        scatter(legs[0], legs[1], v, first, out_legs, out_nodes)
    return rounds
