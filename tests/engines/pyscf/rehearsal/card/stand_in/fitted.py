"""gpu4pyscf.df.df_jk: Coulomb and exchange matrices by density fitting."""

from cupy._arrays import down, refuse_host, up

from stand_in import on_host


def get_j(dfobj, dm, hermi=1):
    refuse_host((dm,))
    return up(on_host.fit(dfobj).get_jk(down(dm), hermi, with_k=False)[0])


def get_jk(dfobj, dms, hermi=0, with_j=True, with_k=True, omega=None, lr_factor=None, sr_factor=None):
    refuse_host((dms,))
    if lr_factor is not None or sr_factor is not None:
        raise RuntimeError("a CUDA kernel was called: exchange with both ranges mixed inside")
    return up(on_host.fit(dfobj).get_jk(down(dms), hermi, with_j, with_k, omega=omega or None))
