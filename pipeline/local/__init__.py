"""Running the whole product on one machine: child processes and Airflow's own components."""
