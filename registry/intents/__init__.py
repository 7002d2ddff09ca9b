"""Notices of intent: aggregator and utility settle where DERs are connected and whose account it is, before anything is filed. R3, R5."""
