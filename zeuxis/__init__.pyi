from zeuxis.words.augment import augment as augment
from zeuxis.words.completion import completion as completion
from zeuxis.words.data_degrade import data_degrade as data_degrade
from zeuxis.words.data_export import data_export as data_export
from zeuxis.words.data_list import data_list as data_list
from zeuxis.words.data_show import data_show as data_show
from zeuxis.words.data_weights import data_weights as data_weights
from zeuxis.words.evaluate import evaluate as evaluate
from zeuxis.words.report import report as report
from zeuxis.words.restore import restore as restore
from zeuxis.words.resume import resume as resume
from zeuxis.words.sample import sample as sample
from zeuxis.words.train import train as train
from zeuxis.words.translate import translate as translate
from zeuxis.words.upscale import upscale as upscale

__version__: str
__all__: list[str]
