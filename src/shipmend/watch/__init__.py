"""For whoever runs an instance: is it alive, is it ready, how is it doing."""
