"""Tables of observations: pandas, geopandas and GeoParquet."""
