//! Real servers for tests: starts PostgreSQL, Redis and balancers on free ports; knows nothing of the product.
