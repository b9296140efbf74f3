"""Score a data set on Ray: each worker takes the detector from the object store once."""


class Scorer:
    """What `Dataset.map_batches` calls; Ray makes one of it in each worker."""

    def __init__(self, detector):
        self.detector = detector

    def __call__(self, batch):
        """Return a pandas batch with its scores beside it."""
        return batch.assign(score=self.detector.score_samples(batch))


def score_on_ray(ray, detector, rows, n_workers=2):
    """Return a Ray data set with a column of scores."""
    sent = ray.put(detector)

    class Sent(Scorer):
        def __init__(self):
            super().__init__(ray.get(sent))

    return rows.map_batches(Sent, batch_format="pandas", concurrency=n_workers)
