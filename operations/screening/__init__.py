"""Deliverability under review: what a submission's DERs may do jointly on their feeder's model, as evidence and as proposed limits."""
