"""The settlement's models, by slice."""

from settlement.disputes.endings import Determination, SettlementProposal
from settlement.disputes.models import BundleItem, Dispute, DisputePart

__all__ = ["BundleItem", "Determination", "Dispute", "DisputePart", "SettlementProposal"]
