"""The grid as the registry knows it: territories, interfaces, substations, feeders, transformers, service points. R6."""
