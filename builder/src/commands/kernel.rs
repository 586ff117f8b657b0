//! `groundup kernel`: obtains or builds a kernel and says where it is.

use crate::args::{self, KernelName};
use crate::envelope;
use crate::failure::Failure;
use crate::prepare;
use crate::run::cancel;
use crate::run::kernel;
use crate::ui::term;
use serde_json::json;

/// Prints its hash and its place in the cache; of the minimal one both forms, the ELF file first.
pub fn kernel(name: KernelName, cache: &args::Cache, json: bool) -> Result<(), Failure> {
    let folder = prepare::cache(cache);
    let kernels = match name {
        KernelName::Debian => vec![images::kernel::debian(&folder).map_err(Failure::input)?],
        KernelName::Footing => vec![images::kernel::footing(&folder).map_err(Failure::input)?],
        KernelName::Minimal => {
            let minimal = kernel::minimal(&prepare::store(cache)?, &folder, &*cancel::watch()?)?;
            term::note(&format!("{} options", minimal.options));
            vec![minimal.elf, minimal.bzimage]
        }
    };
    if json {
        let one = |kernel: &images::kernel::Kernel| json!({ "sha256": kernel.sha256.to_string(), "path": kernel.path, "about": kernel.about });
        let value = json!({ "kernels": kernels.iter().map(one).collect::<Vec<_>>() });
        return envelope::print("kernel", Ok(()), value);
    }
    kernels.first().into_iter().for_each(|kernel| term::note(&kernel.about));
    let line = |kernel: &images::kernel::Kernel| format!("{}  {}\n", kernel.sha256, kernel.path.display());
    term::result(&kernels.iter().map(line).collect::<String>())
}
