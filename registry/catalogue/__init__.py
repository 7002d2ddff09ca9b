"""The catalogue of grid services that DERs can sell. R6, N13."""
