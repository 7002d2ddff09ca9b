"""What a policy's fairness costs."""

from dataclasses import dataclass

import numpy as np

from operations.envelopes.solver.problem import Allocation


@dataclass(frozen=True)
class Price:
    """total_kw: mean over intervals of the sum over points. jain: Jain's index of the shares (1: all equal), mean over intervals.
    least_share: the smallest share that anybody gets in any interval."""

    total_kw: float
    jain: float
    least_share: float


def price(allocation: Allocation) -> Price:
    """The price of one allocation; points without room in an interval are left out of its shares."""
    share = allocation.share
    total = allocation.push_w.sum(0).mean() / 1e3 if share.size else 0.0
    squares = (share**2).sum(0)
    jain = np.divide(share.sum(0) ** 2, len(share) * squares, out=np.ones(share.shape[1]), where=squares > 0)
    return Price(float(total), float(jain.mean()) if share.size else 1.0, float(share.min()) if share.size else 1.0)
