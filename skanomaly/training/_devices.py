"""Several devices of one process, JAX alone: batches shared out, or members dealt out.

Owns which devices train together and where arrays go. Under Keras' distribution weights are the
same on all devices, each computes its part of every batch, and JAX adds up the gradients. Without
one, parts of an ensemble that have nothing in common train on a device each.
"""

import numpy as np

from skanomaly.backend import keras


def mesh():
    """Return the JAX mesh of the devices that train together; None stands for one device.

    Raises
    ------
    ValueError
        If Keras' distribution is not `keras.distribution.DataParallel`.
    """
    distribution = keras.distribution.distribution()
    if distribution is None:
        return None
    if not isinstance(distribution, keras.distribution.DataParallel):
        raise ValueError(
            "Networks are trained on one device, or on several of one process with the same "
            "weights: expected keras.distribution.DataParallel or no distribution, got "
            f"{type(distribution).__name__}. Call keras.distribution.set_distribution(None), or "
            "set a DataParallel."
        )
    return _mesh_of(distribution.device_mesh)


def _mesh_of(device_mesh):
    import jax

    named = {f"{device.platform}:{device.id}": device for device in jax.devices()}
    names = np.asarray(device_mesh.devices).reshape(-1)
    missing = [name for name in names if name not in named]
    if missing:
        raise ValueError(
            f"The distribution names the device {missing[0]!r}, and this process has "
            f"{sorted(named)}. Several processes do not train one network together here."
        )
    return jax.sharding.Mesh([named[n] for n in names], ("batch",)) if len(names) > 1 else None


def for_parts(n_parts):
    """Return the device of each part that trains apart; None stands for the first device."""
    import jax

    devices = jax.local_devices()
    return [devices[k % len(devices)] if k and len(devices) > 1 else None for k in range(n_parts)]


def on(device, values):
    """Return (nested) arrays on a device; as they are when it is None."""
    import jax

    return values if device is None else jax.device_put(values, device)


def everywhere(mesh, values):
    """Return (nested) arrays on every device of a mesh; as they are without one."""
    import jax

    return values if mesh is None else jax.device_put(values, sharding(mesh))


def shared_out(mesh, batches):
    """Return batches (n_steps, batch_size, ...) with an equal part of each on every device.

    Batches of a size that the devices do not divide are computed by all of them.
    """
    import jax

    if mesh is None or batches is None or batches.shape[1] % mesh.size:
        return everywhere(mesh, batches)
    return jax.device_put(batches, sharding(mesh, None, "batch"))


def sharding(mesh, *axes):
    """Return how an array lies on a mesh; without axes it is the same on every device."""
    import jax

    return jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*axes))


def on_one_device(values):
    """Return arrays as they are on the first of their devices."""
    lies = getattr(values[0], "sharding", None) if values else None
    if lies is None or len(lies.device_set) == 1:
        return values
    return [value.addressable_data(0) for value in values]
