"""The only code that starts git. Standard library only: it knows neither Django nor the rest of Shipmend."""
