"""Function code, as zips: the good, and the hostile."""

import io
import warnings
import zipfile

ECHO = "exports.handler = async (event) => event;"

# What a function sees of its caller, exactly as it sees it.
SEES = """
exports.handler = async (event, context) => ({
  event,
  identity: context.identity,
  hasIdentity: context.identity !== undefined,
  clientContext: context.clientContext,
  callgate: context.callgate,
  awsRequestId: context.awsRequestId,
  invokedFunctionArn: context.invokedFunctionArn,
  functionName: context.functionName,
  functionVersion: context.functionVersion,
  memoryLimitInMB: context.memoryLimitInMB,
  logGroupName: context.logGroupName,
  logStreamName: context.logStreamName,
  remaining: context.getRemainingTimeInMillis(),
});
"""


def package(source):
    """A zip of a module's text (as index.js), of files by name, or the bytes themselves."""
    if isinstance(source, bytes):
        return source
    files = {"index.js": source} if isinstance(source, str) else source
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(entry(name), text)
    return buffer.getvalue()


def entry(name, mode=0o100644):
    """An entry of that name and Unix mode; always of the same time, so that equal files make equal zips."""
    info = zipfile.ZipInfo(name, (2015, 7, 9, 0, 0, 0))
    info.create_system = 3
    info.external_attr = mode << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def archive(*entries):
    """A zip of (name, mode, content) as they are, however odd."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        warnings.simplefilter("ignore")  # a name that stands there twice is what some tests are about
        for name, mode, content in entries:
            made.writestr(entry(name, mode), content)
    return buffer.getvalue()
