"""Responses to outages of DERs: what an aggregation loses, what each answer gives back, and the answer that was chosen. M8, O5."""
