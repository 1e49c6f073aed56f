/// A GPU that was found and not opened yet.
pub struct GpuInfo {
    /// What it is called until it is opened.
    pub description: String,
    /// Whether the processor imitates it.
    pub is_software: bool,
    /// How it is opened.
    pub interface: Interface,
}

/// The way to an adapter.
pub enum Interface {
    #[cfg(feature = "cuda")]
    Cuda(usize),
    #[cfg(feature = "wgpu")]
    Wgpu(burn::tensor::DeviceKind),
}
