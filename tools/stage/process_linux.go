package stage

import "syscall"

// attributes: a group of its own, so that an interrupt at the terminal is not K8Guard's;
// it dies with us.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
