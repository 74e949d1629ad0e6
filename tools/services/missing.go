package services

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// javaVersion is what both servers run on: Kafka 4 needs it or a later one, and Cassandra 5.0 knows none later.
const javaVersion = 17

// MissingError says that a service cannot start for want of programs.
type MissingError struct {
	Kind Kind
	What []string
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("services: %s cannot start here: %s", e.Kind, strings.Join(e.What, "; "))
}

// Missing names what a service needs that is not here, with what to install; nil if nothing.
func Missing(ctx context.Context, kind Kind, secured bool) (missing []string) {
	if kind == Memcached {
		return missingMemcached(ctx, secured)
	}
	if _, err := java(ctx, kind); err != nil {
		missing = append(missing, err.Error())
	}
	if dir, err := artifacts(ctx, kind); err == nil && whole(dir) {
		return missing // fetched before, so Maven is not needed
	}
	if _, err := exec.LookPath("mvn"); err != nil {
		missing = append(missing, "Maven (mvn) is missing: install it (Debian: maven)")
	}
	return missing
}

func missingMemcached(ctx context.Context, secured bool) []string {
	program, err := exec.LookPath("memcached")
	if err != nil {
		return []string{"memcached is missing: install it (Debian: memcached)"}
	}
	if !secured {
		return nil
	}
	if help, _ := exec.CommandContext(ctx, program, "-h").Output(); !strings.Contains(string(help), "ssl_chain_cert") {
		return []string{program + " was built without TLS: install one with it (Debian's has it)"}
	}
	return nil
}

// java finds a Java that the service runs on: JAVA_HOME's, or the one on the PATH.
func java(ctx context.Context, kind Kind) (string, error) {
	const remedy = "install Java 17 (Debian: default-jre-headless, or openjdk-17-jre-headless)"
	program := filepath.Join(os.Getenv("JAVA_HOME"), "bin", "java")
	if os.Getenv("JAVA_HOME") == "" {
		found, err := exec.LookPath("java")
		if err != nil {
			return "", errors.New("java is missing: " + remedy)
		}
		program = found
	}
	out, err := exec.CommandContext(ctx, program, "-version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s -version: %w: %s, or mend JAVA_HOME", program, err, remedy)
	}
	major := 0
	if found := regexp.MustCompile(`version "(\d+)`).FindSubmatch(out); found != nil {
		major, _ = strconv.Atoi(string(found[1])) // digits
	}
	if major < javaVersion || (kind == Cassandra && major > javaVersion) {
		first, _, _ := strings.Cut(string(out), "\n")
		return "", fmt.Errorf("%s is %s, on which %s does not run: %s and set JAVA_HOME to it", program, first, kind, remedy)
	}
	return program, nil
}
