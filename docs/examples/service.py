"""A service that scores rows with a detector from a file: ``uvicorn service:app``."""

import os

import numpy as np
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

import skanomaly

detector = skanomaly.io.load(os.environ["DETECTOR"])
detector.score_samples(np.zeros((1, detector.n_features_in_)))  # compiles before the first request


class Rows(BaseModel):
    """Rows to score; null is a missing value."""

    rows: list[list[float | None]]


app = FastAPI()


@app.post("/score")
def score(body: Rows):
    """Return a score and a label for every row."""
    try:
        scores = detector.score_samples(np.array(body.rows, dtype=float))
    except ValueError as error:  # says what was expected, and what came
        raise HTTPException(422, str(error)) from error
    anomalous = scores < detector.offset_
    return {"scores": scores.tolist(), "anomalous": anomalous.tolist()}
