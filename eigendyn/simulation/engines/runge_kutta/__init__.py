"""Hold the coefficients of explicit Runge–Kutta methods."""
