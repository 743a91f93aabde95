"""The main job: ``POST /image/edit``, one small module per step, and ``endpoint`` that reads straight down."""
