"""What can be delivered at once: blocks of feeders through nodes (T-D interfaces) and lines, as one linear program (HiGHS)."""

from dataclasses import dataclass

import highspy
import numpy as np
import scipy.sparse as sp

from operations.coordination.engine import NOTHING


@dataclass(frozen=True, eq=False)
class Program:
    """B blocks at N nodes, M lines. node (B,); cost (B,) per kW, negative where delivering is worth it; most (B,) kW. low, high (N,): the
    change of a node's injection that its interface can take; factors (M, N), line_low, line_high (M,): the same of lines. wanted: kW in
    all, of which each that is missing costs `shortage`; None: whatever pays."""

    node: np.ndarray
    cost: np.ndarray
    most: np.ndarray
    low: np.ndarray
    high: np.ndarray
    factors: np.ndarray
    line_low: np.ndarray
    line_high: np.ndarray
    wanted: float | None = None
    shortage: float = 1e4


@dataclass(frozen=True, eq=False)
class Answer:
    """kw (B,) of each block; node_kw (N,), line_kw (M,); node_value and line_value: what one more kW of a limit that binds would be worth
    (≥ 0; zero where none binds); missing: kW that were wanted and cannot be delivered."""

    kw: np.ndarray
    node_kw: np.ndarray
    node_value: np.ndarray
    line_kw: np.ndarray
    line_value: np.ndarray
    missing: float


class Infeasible(Exception):
    """The limits contradict each other even without any block."""


def model_of(program: Program) -> highspy.HighsLp:
    """Columns: blocks, nodes, what is missing. Rows: balance of the nodes, lines, what is wanted."""
    blocks, nodes, lines = len(program.node), len(program.low), len(program.line_low)
    moved = np.where(np.abs(program.factors) > NOTHING, program.factors, 0.0)
    spread = sp.csc_matrix((np.ones(blocks), (program.node, np.arange(blocks))), shape=(nodes, blocks))
    last = np.ones((1, nodes)), np.ones((1, 1))
    matrix = sp.bmat([[spread, -sp.eye(nodes), None], [None, sp.csc_matrix(moved), None], [None, *last]], format="csc")
    model, wanted = highspy.HighsLp(), program.wanted
    model.num_col_, model.num_row_ = blocks + nodes + 1, nodes + lines + 1
    model.col_cost_ = np.concatenate([program.cost, np.zeros(nodes), [program.shortage if wanted else 0.0]])
    model.col_lower_ = np.concatenate([np.zeros(blocks), program.low, [0.0]])
    model.col_upper_ = np.concatenate([program.most, program.high, [wanted or 0.0]])
    ends = (np.full(1, wanted),) * 2 if wanted is not None else (np.full(1, -np.inf), np.full(1, np.inf))
    model.row_lower_ = np.concatenate([np.zeros(nodes), program.line_low, ends[0]])
    model.row_upper_ = np.concatenate([np.zeros(nodes), program.line_high, ends[1]])
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_ = matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32)
    model.a_matrix_.value_ = matrix.data
    return model


def solver() -> highspy.Highs:
    """HiGHS on one thread, silent."""
    made = highspy.Highs()
    made.setOptionValue("output_flag", False)
    made.setOptionValue("threads", 1)
    return made


def optimise(program: Program) -> Answer:
    """The program's optimum. Raises Infeasible."""
    highs = solver()
    highs.passModel(model_of(program))
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise Infeasible
    found, blocks, nodes = highs.getSolution(), len(program.node), len(program.low)
    columns, duals = np.array(found.col_value), np.array(found.col_dual)
    rows = slice(nodes, nodes + len(program.line_low))
    node_kw, node_dual = columns[blocks:-1], duals[blocks:-1]
    line_kw, line_dual = np.array(found.row_value)[rows], np.array(found.row_dual)[rows]
    return Answer(columns[:blocks], node_kw, np.abs(node_dual), line_kw, np.abs(line_dual), float(columns[-1]))
