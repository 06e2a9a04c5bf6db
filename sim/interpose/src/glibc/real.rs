//! The C library's own functions, behind ours.

use std::{
    ffi::CStr,
    sync::atomic::{AtomicPtr, Ordering},
};

use libc::{c_int, c_void, clockid_t, size_t, ssize_t, time_t, timespec, timeval, timezone};

/// A function of the C library, looked up when it is first called.
struct Function {
    name: &'static CStr,
    /// Null until it has been looked up.
    found: AtomicPtr<c_void>,
}

impl Function {
    const fn new(name: &'static CStr) -> Self {
        Self {
            name,
            found: AtomicPtr::new(std::ptr::null_mut()),
        }
    }

    /// Null if there is none, as in a program without a dynamic linker.
    fn get(&self) -> *mut c_void {
        // Relaxed: the pointer leads to code, which was there before any thread of ours.
        let found = self.found.load(Ordering::Relaxed);
        if found.is_null() {
            self.look_up()
        } else {
            found
        }
    }

    #[cold]
    fn look_up(&self) -> *mut c_void {
        // SAFETY: the name is a C string, and the handle asks for the next definition after ours.
        let found = unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) };
        self.found.store(found, Ordering::Relaxed);
        found
    }
}

static CLOCK_GETTIME: Function = Function::new(c"clock_gettime");
static GETTIMEOFDAY: Function = Function::new(c"gettimeofday");
static TIME: Function = Function::new(c"time");
static GETRANDOM: Function = Function::new(c"getrandom");

/// # Safety
/// As the C library's.
#[inline]
pub(super) unsafe fn clock_gettime(clock: clockid_t, time: *mut timespec) -> c_int {
    type Signature = unsafe extern "C" fn(clockid_t, *mut timespec) -> c_int;
    let found = CLOCK_GETTIME.get();
    if found.is_null() {
        // SAFETY: the system call takes what the function takes.
        return unsafe { libc::syscall(libc::SYS_clock_gettime, clock, time) as c_int };
    }
    // SAFETY: this is what a function of this name looks like in every C library.
    let function = unsafe { std::mem::transmute::<*mut c_void, Signature>(found) };
    // SAFETY: the caller's promise.
    unsafe { function(clock, time) }
}

/// # Safety
/// As the C library's.
pub(super) unsafe fn gettimeofday(time: *mut timeval, zone: *mut timezone) -> c_int {
    type Signature = unsafe extern "C" fn(*mut timeval, *mut timezone) -> c_int;
    let found = GETTIMEOFDAY.get();
    if found.is_null() {
        // SAFETY: the system call takes what the function takes.
        return unsafe { libc::syscall(libc::SYS_gettimeofday, time, zone) as c_int };
    }
    // SAFETY: this is what a function of this name looks like in every C library.
    let function = unsafe { std::mem::transmute::<*mut c_void, Signature>(found) };
    // SAFETY: the caller's promise.
    unsafe { function(time, zone) }
}

/// # Safety
/// As the C library's.
pub(super) unsafe fn time(into: *mut time_t) -> time_t {
    type Signature = unsafe extern "C" fn(*mut time_t) -> time_t;
    let found = TIME.get();
    if found.is_null() {
        let mut now = timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: `now` is a local that may be written.
        unsafe { clock_gettime(libc::CLOCK_REALTIME_COARSE, &raw mut now) };
        if !into.is_null() {
            // SAFETY: not null, and the caller says that it may be written.
            unsafe { into.write(now.tv_sec) };
        }
        return now.tv_sec;
    }
    // SAFETY: this is what a function of this name looks like in every C library.
    let function = unsafe { std::mem::transmute::<*mut c_void, Signature>(found) };
    // SAFETY: the caller's promise.
    unsafe { function(into) }
}

/// # Safety
/// As the C library's.
pub(super) unsafe fn getrandom(into: *mut c_void, length: size_t, flags: u32) -> ssize_t {
    type Signature = unsafe extern "C" fn(*mut c_void, size_t, u32) -> ssize_t;
    let found = GETRANDOM.get();
    if found.is_null() {
        // SAFETY: the system call takes what the function takes.
        return unsafe { libc::syscall(libc::SYS_getrandom, into, length, flags) as ssize_t };
    }
    // SAFETY: this is what a function of this name looks like in every C library.
    let function = unsafe { std::mem::transmute::<*mut c_void, Signature>(found) };
    // SAFETY: the caller's promise.
    unsafe { function(into, length, flags) }
}
